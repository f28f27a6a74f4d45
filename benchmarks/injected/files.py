"""Files of weights that are damaged or hostile, and numbers that are not finite."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.injected.damaged_files import bomb, flip_one_bit, hungry_pickle
from benchmarks.injected.row import EPOCH, NONE, Bench, Row, same
from benchmarks.injected.run import LONG, MEASURE, Ended, Run
from slowfast_bias.outputs import Outputs


def rows(bench: Bench) -> dict[str, Callable[[], Row]]:
    """Returns {name: what injects it}."""
    each = bench.each
    return {
        "flip": lambda: each("A flipped bit in the newest checkpoint, run again", "an epoch", 0,
                             lambda k: _flipped(bench, k)),
        "nan": lambda: each("A loss that is not finite", EPOCH, 2, lambda k: _nan(bench, k)),
        "bomb": lambda: each("3 MB of weights that unpack to 3 GB", NONE, 2,
                             lambda k: _odd(bench, f"bomb{k}", bomb)),
        "hungry": lambda: each("A pickle of 9 bytes that asks for 3 GB", NONE, 2,
                               lambda k: _odd(bench, f"hungry{k}", hungry_pickle)),
    }  # fmt: skip


def _flipped(bench: Bench, k: int) -> Ended:
    out, whole = bench.folder / f"flip{k}", bench.whole
    shutil.copytree(whole, out)
    flip_one_bit(Outputs(str(out)).checkpoint(3), k)
    ended = Run.of(out).end()
    log = Path(Outputs(str(out)).log).read_text().splitlines()
    said = next((line for line in log if "Trying the one before it" in line), "")
    good = said and same(out, whole)
    return ended._replace(said=said.partition(": ")[2], status=ended.status if good else 1)


def _nan(bench: Bench, k: int) -> Ended:
    words = "SOLVER.BASE_LR", "1e30", "SOLVER.OPTIMIZING_METHOD", "sgd", "TRAIN.EVAL_PERIOD", "10"
    return Run.of(bench.folder / f"nan{k}", *LONG, *words).end()


def _odd(bench: Bench, name: str, write: Callable[[Path], None]) -> Ended:
    path = bench.folder / f"{name}.pyth"
    write(path)
    return Run.of(bench.folder / name, *MEASURE, "TEST.CHECKPOINT_FILE_PATH", str(path)).end()
