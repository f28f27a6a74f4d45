"""What a figure needs, as frozen data: runs of a config, runs of a sweep, and the figure itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.sweep_runs import Run, plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slowfast_bias.engine.studies.reproduction.found import Found
    from slowfast_bias.engine.studies.reproduction.tables import Table

# Step of a run -> the key that asks for it.
STEPS = {
    "train": "TRAIN.ENABLE",
    "measure": "BIAS.ENABLE",
    "test": "TEST.ENABLE",
    "test_orders": "BIAS.SHUFFLE.TEST",
    "ablate": "BIAS.ABLATION.ENABLE",
    "centre": "BIAS.MASKS.CENTRE",
}
_VALUES = {"BIAS.MASKS.CENTRE": ("", "train")}  # other than False and True
Keys = tuple[tuple[str, Any], ...]  # config keys and their values


def switch(step: str, on: bool) -> tuple[str, Any]:
    """Returns the key that asks for a step and its value."""
    key = STEPS[step]
    return key, _VALUES.get(key, (False, True))[on]


@dataclass(frozen=True)
class Planned:
    """A network that is trained, or read from a file, and then measured and tested.

    Attributes:
        name: of its folder.
        title: in figures and tables.
        config: a file that comes with this project.
        keys: what differs from that file.
        steps: those of STEPS that it takes.
        data: its data set, a key of `places.DATA` or of `places.SEGMENTS`; "" for the toy world.
        weights: names of published files; if one is there the network is not trained.
        folder: name of the folder of Hugging Face that the network is made from, beside the files.
        weights_of: the name of the run whose last weights it takes if there is no published file.
    """

    name: str
    title: str
    config: str
    keys: Keys = ()
    steps: tuple[str, ...] = ("train", "measure", "test_orders")
    data: str = ""
    weights: tuple[str, ...] = ()
    folder: str = ""
    weights_of: str = ""


@dataclass(frozen=True)
class PlannedSweep:
    """The same network trained with several kinds and rates of dropout.

    Attributes:
        name: of its folder.
        title: in figures and tables.
        config: a file that comes with this project.
        settings: kinds, rates, temperatures and seeds, as `sweep_runs.plan` takes them.
        keys: what differs from the config in every run.
        begins_with: the name of a planned run whose last weights all of these begin with.
        data: as of `Planned`.
    """

    name: str
    title: str
    config: str
    settings: tuple[Mapping[str, Any], ...]
    keys: Keys = ()
    begins_with: str = ""
    data: str = ""

    def runs(self) -> list[Run]:
        """Returns every setting once, by the names that a sweep gives them."""
        every = [run for words in self.settings for run in plan([self.config], **words)]
        return list(dict.fromkeys(every))


Plan = Planned | PlannedSweep


@dataclass(frozen=True)
class FigurePlan:
    """A figure of the paper: what it shows, which runs it needs, what is made of them.

    Attributes:
        name: "fig7"; "fig10b" is the lower part of fig. 10.
        shows: what the paper's figure shows.
        differs: what ours does otherwise, or does not know.
        toy: names of toy runs, in the order of the figure.
        data: names of runs on the paper's data sets.
        tables: makes the tables of what was found.
        draw: makes the figures, {"": the main one, "part": a further one}.
    """

    name: str
    shows: str
    differs: str
    toy: tuple[str, ...]
    data: tuple[str, ...]
    tables: Callable[[Found], list[Table]]
    draw: Callable[[Found], dict[str, Figure]]

    @property
    def title(self) -> str:
        """What the paper calls it: "Figure 7", "Figure 10, lower part", "Table 1"."""
        word = "Table" if self.name.startswith("table") else "Figure"
        number = self.name.removeprefix("fig").removeprefix("table")
        return f"{word} {number.removesuffix('b')}{', lower part' * number.endswith('b')}"
