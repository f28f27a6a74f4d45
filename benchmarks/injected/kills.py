"""SIGKILL of everything, at random moments, again and again until the run has ended."""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.injected.row import EPOCH, Bench, Row, same_report, same_weights
from benchmarks.injected.run import WORDS, Run
from slowfast_bias.outputs import Outputs

# A network of a few units, so that a run takes seconds; it saves as often as saving is free.
SMALL = [
    "DATA.NUM_FRAMES", "8", "DATA.TRAIN_CROP_SIZE", "32", "DATA.TEST_CROP_SIZE", "32",
    "RESNET.WIDTH_PER_GROUP", "8", "BIAS.CHECKPOINT_MINUTES", "0.001",
]  # fmt: skip
TRAIN = [
    "SOLVER.MAX_EPOCH", "2", "BIAS.TOY.NUM_TRAIN", "128", "MODEL.DROPOUT_RATE", "0.5",
    "BIAS.ENABLE", "False",
]  # fmt: skip
MEASURE = ["TRAIN.ENABLE", "False", "BIAS.TOY.NUM_VAL", "200"]
LIMIT = 300.0  # seconds after which a run hangs
LOST = f"{EPOCH}: at most `BIAS.CHECKPOINT_MINUTES`"


class Killed(NamedTuple):
    """Work that is killed.

    Attributes:
        name: of the row.
        start: starts it in a folder.
        same: whether what is in two folders is the same.
        resumed: what its log says if it goes on.
    """

    name: str
    start: Callable[[Path], Run]
    same: Callable[[Path, Path], bool]
    resumed: str


def rows(bench: Bench) -> dict[str, Callable[[], Row]]:
    """Returns {name: what injects it}."""
    measured = [*SMALL, *MEASURE, "TEST.CHECKPOINT_FILE_PATH"]
    works = {
        "kill": Killed(
            "SIGKILL while training",
            lambda out: Run.of(out, *SMALL, *TRAIN),
            same_weights,
            "resuming epoch",
        ),
        "kill_measure": Killed(
            "SIGKILL while measuring",
            lambda out: Run.of(out, *measured, _start(bench)),
            same_report,
            "measurement goes on",
        ),
        "kill_sweep": Killed("SIGKILL of a sweep", _sweep, _same_rows, "resuming"),
    }
    share = dict(zip(works, _parts(bench.kills), strict=True))
    return {
        name: lambda work=work, kills=share[name]: _killed(bench, work, kills)
        for name, work in works.items()
    }


def _parts(kills: int) -> tuple[int, int, int]:
    return kills - kills // 3 - kills // 4, kills // 3, kills // 4


def _start(bench: Bench) -> str:
    """Returns the checkpoint of a small network."""
    out = bench.folder / "small"
    if not out.exists():
        words = "SOLVER.MAX_EPOCH", "1", "BIAS.ENABLE", "False"
        assert Run.of(out, *SMALL, *words).end().status == 0
    return Outputs(str(out)).checkpoint(1)


def _sweep(out: Path) -> Run:
    words = ["--networks", WORDS[1], "--rates", "0.5", "--out", str(out), "--opts"]
    words += [*WORDS[2:], *SMALL, "SOLVER.MAX_EPOCH", "1", "BIAS.TOY.NUM_VAL", "32"]
    return Run(out, ["sweep", *words])


def _same_rows(out: Path, other: Path) -> bool:
    return _rows(out) == _rows(other)


def _rows(out: Path) -> list[dict[str, Any]]:
    found = json.loads(Path(Outputs(str(out)).rows).read_text())["data"]
    return [{**row, "seconds": 0} for row in found]


def _killed(bench: Bench, work: Killed, wanted: int) -> Row:
    """Returns the row of one kind of work, killed `wanted` times or as often as there is time."""
    whole, start = bench.folder / work.name.replace(" ", "-"), time.monotonic()
    good = work.start(whole).end(LIMIT).status == 0
    seconds, dice = time.monotonic() - start, random.Random(0)
    deadline = start + 60 * bench.minutes
    kills, runs, resumed = 0, 0, 0
    while kills < wanted and time.monotonic() < deadline:
        out, runs = bench.folder / f"{whole.name}-{runs}", runs + 1
        while not _ended(run := _at_work(work.start(out), dice), dice.uniform(0, seconds / 2)):
            run.kill()
            run.end()
            kills += 1
            _show(f"{work.name}: {kills} of {wanted} kills, {runs} runs")
            if kills >= wanted or time.monotonic() > deadline:
                run = work.start(out)
                break
        good &= run.end(LIMIT).status == 0 and work.same(out, whole)
        good &= not [*out.rglob("*.tmp"), *out.rglob("unfinished"), *out.rglob("mid_epoch.pyth")]
        resumed += sum(path.read_text().count(work.resumed) for path in out.rglob("stdout.log"))
        shutil.rmtree(out)
    words = (
        f"{runs} runs, each started again until it ended ({resumed} times in the middle of its "
        "work): numbers as of an unbroken one, bit for bit"
    )
    return Row(work.name, kills, words, LOST, good)


def _at_work(run: Run, dice: random.Random) -> Run:
    """Returns a run when it has begun to work; one in five when it has just started."""
    logs, deadline = _logged(run.out), time.monotonic() + LIMIT
    if dice.random() < 0.8:
        while _logged(run.out) == logs and not run.has_ended() and time.monotonic() < deadline:
            time.sleep(0.01)
    return run


def _logged(out: Path) -> int:
    return sum(path.stat().st_size for path in out.rglob("stdout.log"))


def _ended(run: Run, seconds: float) -> bool:
    """Returns whether a run has ended within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not run.has_ended():
        time.sleep(0.01)
    return run.has_ended()


def _show(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
