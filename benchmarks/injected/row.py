"""A row of the table: a fault, how it ended, and what was lost."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.injected.run import Ended, Run
from slowfast_bias.bias import BiasReport
from slowfast_bias.outputs import Outputs

NONE, EPOCH = "nothing", "what came after the last saving"


class Row(NamedTuple):
    """A line of the table."""

    fault: str
    times: int
    outcome: str
    lost: str
    good: bool


@dataclass(frozen=True)
class Bench:
    """What all faults share.

    Attributes:
        folder: for their runs.
        kills: SIGKILLs of whole runs.
        rounds: times of every other fault.
        minutes: after which no run is killed any more.
        whole: the folder of an unbroken run.
    """

    folder: Path
    kills: int
    rounds: int
    minutes: float

    @property
    def whole(self) -> Path:
        """The folder of a run that nothing was done to."""
        path = self.folder / "whole"
        if not path.exists():
            assert Run.of(path).end().status == 0
        return path

    def checkpoint(self, epoch: int = 3) -> str:
        """Returns a checkpoint of that run."""
        return Outputs(str(self.whole)).checkpoint(epoch)

    def each(
        self, fault: str, lost: str, status: int, work: Callable[[int], Ended], lines: int = 1
    ) -> Row:
        """Returns the row of a fault that should end with a status and one line, each time."""
        found = [work(k) for k in range(self.rounds)]
        good = all(x.status == status and x.lines <= lines for x in found)
        slowest = max(x.seconds for x in found)
        statuses = ", ".join(sorted({str(x.status) for x in found}))
        outcome = f"status {statuses} after at most {slowest:.1f} s: {short(found[-1].said)}"
        return Row(fault, self.rounds, outcome, lost, good)


def short(text: str) -> str:
    """Returns a line for the table."""
    text = re.sub(rf"{tempfile.gettempdir()}/\w+/", "", text.replace("|", "/"))
    return f"`{text[:150]}{' ...' if len(text) > 150 else ''}`"


def same(out: Path, other: Path) -> bool:
    """Returns whether two runs ended with the same weights and the same report, bit for bit."""
    return same_weights(out, other) and same_report(out, other)


def same_weights(out: Path, other: Path) -> bool:
    """Returns whether two runs ended with the same weights, bit for bit."""
    a, b = weights(out), weights(other)
    return all(torch.equal(a[name], b[name]) for name in a)


def same_report(out: Path, other: Path) -> bool:
    """Returns whether two runs ended with the same report, bit for bit."""
    files = [Outputs(str(x)).report(suffix="csv") for x in (out, other)]
    reports = [BiasReport.load(Outputs(str(x)).report()) for x in (out, other)]
    tables = [report.to_markdown().partition("\n\n")[0] for report in reports]
    return Path(files[0]).read_text() == Path(files[1]).read_text() and tables[0] == tables[1]


def weights(out: Path) -> dict[str, torch.Tensor]:
    """Returns the last weights of a run."""
    path = Outputs(str(out)).list_checkpoints()[0]
    return torch.load(path, weights_only=True)["model_state"]
