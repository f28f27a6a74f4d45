"""The networks of a page: one per run, and those that were measured beside it, each with a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.visualization.html.palette import network_looks
from slowfast_bias.visualization.reading.run_folder import RunFolder


@dataclass(frozen=True)
class Network:
    """A network of a run.

    Attributes:
        name: on this page.
        run: the run that it is of.
        report: its measurement; None if the run has none.
        own: whether tests of the run are of this network.
        look: colour and mark in every figure.
    """

    name: str
    run: RunFolder
    report: BiasReport | None
    own: bool
    look: str

    @property
    def dashed(self) -> bool:
        """Whether its lines are those of a reference."""
        return bool(self.report and is_reference(self.report))


def _has_own(run: RunFolder) -> bool:
    """Returns whether a run has a result of a network of its own."""
    return any((run.report, run.orders, run.battery, run.masks, run.silencing))


def networks_of(runs: Mapping[str, RunFolder]) -> list[Network]:
    """Returns the networks of all runs, in the order of the page; a sweep alone has none."""
    found: dict[str, tuple[RunFolder, BiasReport | None, bool]] = {}
    for name, run in runs.items():
        if _has_own(run):
            found[name] = (run, run.report, True)
        for other, report in run.others.items():
            found[other if len(runs) == 1 else f"{name}, {other}"] = (run, report, False)
    references = {name: bool(x[1] and is_reference(x[1])) for name, x in found.items()}
    looks = network_looks(references)
    return [Network(name, *found[name], looks[name]) for name in found]
