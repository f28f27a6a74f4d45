"""Disks that are full, folders that are gone, and two runs in one."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from benchmarks.injected.row import EPOCH, NONE, Bench, Row
from benchmarks.injected.run import LONG, MEASURE, Ended, Run


def rows(bench: Bench) -> dict[str, Callable[[], Row]]:
    """Returns {name: what injects it}."""
    each = bench.each
    return {
        "full": lambda: each("No space for a checkpoint", EPOCH, 2, lambda k: _full(bench, k)),
        "unwritten": lambda: each("No space for a report", NONE, 2,
                                  lambda k: _unwritten(bench, k), 3),
        "two": lambda: each("Two runs in one folder", NONE, 2, lambda k: _twice(bench, k)),
        "gone": lambda: each("OUTPUT_DIR deleted", "all of it", 2, lambda k: _gone(bench, k)),
    }  # fmt: skip


def _full(bench: Bench, k: int) -> Ended:
    return Run.of(bench.folder / f"full{k}", *LONG, limit=1_000_000).end()


def _unwritten(bench: Bench, k: int) -> Ended:
    words = *MEASURE, "TEST.CHECKPOINT_FILE_PATH", bench.checkpoint()
    return Run.of(bench.folder / f"unwritten{k}", *words, limit=20_000).end()


def _twice(bench: Bench, k: int) -> Ended:
    out = bench.folder / f"two{k}"
    first = Run.of(out, *LONG).wait_for("train_iter")
    second = Run.of(out, *LONG, "RNG_SEED", "7").end(60)
    first.kill()
    first.end()
    return second


def _gone(bench: Bench, k: int) -> Ended:
    run = Run.of(bench.folder / f"gone{k}", *LONG).wait_for("train_iter")
    moved = run.out.rename(f"{run.out}_moved")  # at once, while the run goes on making files
    shutil.rmtree(moved, ignore_errors=True)
    return run.end(120)
