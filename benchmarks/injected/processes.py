"""Ranks and workers that are killed or stopped, and machines that are wanted back."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.injected.row import EPOCH, NONE, Bench, Row, same
from benchmarks.injected.run import LONG, TWO, Ended, Run, parent_of
from slowfast_bias.engine.runtime.launcher import free_port

LIMIT = 120.0  # seconds after which a run hangs
CHILD = "spawn_main"  # in the command line of a rank, and of the workers that it forks
STACKS = 400  # lines at most of what shows where all threads stand


def rows(bench: Bench) -> dict[str, Callable[[], Row]]:
    """Returns {name: what injects it}."""
    each = bench.each
    return {
        "rank": lambda: each("SIGKILL of one rank of two", EPOCH, 2,
                             lambda k: _signalled(bench, signal.SIGKILL, k)),
        "stop": lambda: each("SIGSTOP of one rank of two (BIAS.RANK_TIMEOUT 8)", EPOCH, 2,
                             lambda k: _signalled(bench, signal.SIGSTOP, k)),
        "stall": lambda: each("SIGSTOP of a worker of a rank (BIAS.STALL_TIMEOUT 8)", EPOCH, 2,
                              lambda k: _stalled(bench, k), STACKS),
        "srun": lambda: each("SIGKILL of a rank under srun, while measuring", EPOCH, 2,
                             lambda k: _under_srun(bench, k), 50),
        "worker": lambda: each("SIGKILL of a worker that decodes", EPOCH, 2,
                               lambda k: _worker(bench, k)),
        "term": lambda: each("SIGTERM, and the same command again", NONE, 75,
                             lambda k: _resumed(bench, signal.SIGTERM, k)),
        "usr1": lambda: each("SIGUSR1, and the same command again", NONE, 75,
                             lambda k: _resumed(bench, signal.SIGUSR1, k)),
    }  # fmt: skip


def _signalled(bench: Bench, number: int, k: int, words: Sequence[str] = TWO) -> Ended:
    run = Run.of(bench.folder / f"s{number}{k}", *LONG, *words).wait_for("train_iter")
    pids = run.below(CHILD)
    time.sleep(random.Random(k).uniform(0, 1))
    os.kill(pids[-1], number)
    return run.end(LIMIT)


def _resumed(bench: Bench, number: int, k: int) -> Ended:
    out, whole = bench.folder / f"r{number}{k}", bench.whole
    run = Run.of(out).wait_for("train_iter")
    os.kill(run.pid, number)
    ended = run.end(LIMIT)
    good = Run.of(out).end().status == 0 and same(out, whole)
    return ended if good else ended._replace(status=1)


def _worker(bench: Bench, k: int) -> Ended:
    # one whose work is done may die: so there is much of it
    words = *LONG, "BIAS.TOY.NUM_TRAIN", "20000", "DATA_LOADER.NUM_WORKERS", "2"
    run = Run.of(bench.folder / f"w{k}", *words).wait_for("train_iter")
    deadline = time.monotonic() + LIMIT
    command = Path(sys.argv[0]).name  # a worker is forked; the tracker of resources is not
    while not (pids := run.below(command)) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(pids[-1], signal.SIGKILL)
    return run.end(LIMIT)


def _stalled(bench: Bench, k: int) -> Ended:
    words = "NUM_GPUS", "2", "DATA_LOADER.NUM_WORKERS", "1", "BIAS.STALL_TIMEOUT", "8"
    long = *LONG, "BIAS.TOY.NUM_TRAIN", "20000"
    run = Run.of(bench.folder / f"stall{k}", *long, *words).wait_for("train_iter")
    ranks = run.below(CHILD)
    workers = [pid for pid in ranks if parent_of(pid) in ranks]
    os.kill(random.Random(k).choice(workers), signal.SIGSTOP)
    return run.end(LIMIT)


def _under_srun(bench: Bench, k: int) -> Ended:
    env = {"SLURM_NTASKS": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    words = ["TRAIN.ENABLE", "False", "BIAS.TOY.NUM_VAL", "20000", "TEST.CHECKPOINT_FILE_PATH"]
    words += [bench.checkpoint()]
    out = bench.folder / f"srun{k}"
    pair = [Run.of(out, *words, env={**env, "SLURM_PROCID": str(rank)}) for rank in (0, 1)]
    pair[0].wait_for("weights of")
    time.sleep(2)
    os.kill(pair[1].pid, signal.SIGKILL)
    ended = pair[0].end(LIMIT)
    pair[1].end(1)
    return ended
