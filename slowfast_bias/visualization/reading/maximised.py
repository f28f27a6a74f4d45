"""Clips made for units from a file and the arrays beside it, both checked while they are read.

found = read_maximised("runs/motion/maximised.json")
unit = found.drawn[0]
found.clips(unit).rgb                  # [speed, seed, T, H, W, 3]
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.reading.made_clips import AGAIN, Clips, read_clips
from slowfast_bias.visualization.reading.result_files import read_results
from slowfast_bias.visualization.reading.shapes import check_meta

KIND = "maximised"
CLASSES = ("class", "pair")  # how units are chosen that are classes
SPEEDS = ("unconstrained", "fast", "medium", "slow", "frozen")
NUMBERS = (
    "activation", "ratio", "transfer", "reversed", "frame_difference", "flow_magnitude",
    "direction_spread", "path_similarity",
)  # fmt: skip


@dataclass(frozen=True, eq=False)  # one object is one file: it can be a key
class Unit:
    """A unit and its numbers; see METHOD for what each is."""

    layer: str
    unit: int
    name: str
    chosen_as: str
    score: Mapping[str, Any]
    dead: bool
    failed: str
    natural_max: float
    natural_mean: float
    natural: Sequence[Mapping[str, Any]]
    motion_need: float
    motion_need_interval: tuple[float, float]
    preferred_speed: str
    by_speed: Mapping[str, Mapping[str, Sequence[float]]]
    file: str

    @property
    def title(self) -> str:
        """Its name if it has one, as a class has; else where it is."""
        return self.name or self.where

    @property
    def where(self) -> str:
        """Its layer and number, or the number of a class."""
        return f"class {self.unit}" if self.is_class else f"{self.layer}, unit {self.unit}"

    @property
    def is_class(self) -> bool:
        """Whether it is a class, whose activations are log-odds."""
        return self.chosen_as in CLASSES

    @property
    def drawn(self) -> bool:
        """Whether there are clips of it."""
        return bool(self.by_speed) and not self.dead

    def values(self, speed: str, key: str) -> list[float]:
        """Returns one of NUMBERS of every seed; NaN for those that are not known."""
        return list(self.by_speed[speed].get(key) or ())

    def mean(self, speed: str, key: str) -> float:
        """Returns the mean over seeds; NaN if it is not known."""
        known = [x for x in self.values(speed, key) if math.isfinite(x)]
        return sum(known) / len(known) if known else math.nan

    def best(self, speed: str) -> int:
        """Returns the place of the seed that drives it most: the one that is shown."""
        found = [x if math.isfinite(x) else -math.inf for x in self.values(speed, "activation")]
        return found.index(max(found))

    def shown(self, speed: str, key: str) -> float:
        """Returns the number of the seed that is shown; NaN if it is not known."""
        values = self.values(speed, key)
        return values[self.best(speed)] if values else math.nan


@dataclass(frozen=True, eq=False)
class Maximised:
    """What a file holds; the arrays of a unit are read when they are asked for."""

    path: str
    speeds: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    units: tuple[Unit, ...]
    pairs: tuple[tuple[int, int], ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> list[Unit]:
        """The units that there are clips of."""
        return [unit for unit in self.units if unit.drawn]

    @property
    def confusions(self) -> list[tuple[Unit, Unit]]:
        """Pairs of classes that the network takes for each other, if there are clips of both."""
        by_number = {unit.unit: unit for unit in self.drawn if unit.is_class}
        return [(by_number[a], by_number[b]) for a, b in self.pairs if {a, b} <= {*by_number}]

    def beside(self, unit: Unit, ending: str) -> str:
        """Returns the path of a picture of a unit, beside its arrays."""
        folder = os.path.dirname(self.path)
        return os.path.join(folder, f"{unit.file.removesuffix('.npz')}{ending}")

    def clips(self, unit: Unit) -> Clips:
        """Returns the clips of a unit; ResultError if they do not fit what the file says."""
        return read_clips(self.beside(unit, ".npz"), len(self.speeds), len(self.seeds))


def read_maximised(path: str | os.PathLike[str]) -> Maximised:
    """Returns what a `maximised.json` holds; ResultError, in one line, if it is not whole."""
    path = os.fspath(path)
    (content,) = read_results([path], KIND, check=_check_origin).values()
    speeds, seeds = content.get("speeds"), content.get("seeds")
    if not (isinstance(speeds, list) and speeds and set(speeds) <= set(SPEEDS)):
        raise ResultError(f"Expected `speeds` of {path} among {', '.join(SPEEDS)}: {AGAIN}")
    if not (isinstance(seeds, list) and seeds and all(map(_is_whole, seeds))):
        raise ResultError(f"Expected the numbers of `seeds` in {path}: {AGAIN}")
    rows, pairs = content.get("units"), content.get("pairs") or []
    if not isinstance(rows, list):
        raise ResultError(f"Expected a list of `units` in {path}: {AGAIN}")
    if not all(isinstance(x, list) and len(x) == 2 and all(map(_is_whole, x)) for x in pairs):
        raise ResultError(f"Expected two units in each of the `pairs` of {path}: {AGAIN}")
    units = tuple(_unit(path, place, row, speeds, len(seeds)) for place, row in enumerate(rows))
    steps = content.get("steps")
    return Maximised(
        path, tuple(speeds), tuple(seeds), steps if _is_whole(steps) else 0, units,
        tuple((a, b) for a, b in pairs), content["meta"],
    )  # fmt: skip


def _check_origin(path: str, content: Mapping[str, Any]) -> None:
    """Leaves the shape of the data to those who read them: some names mean other things here."""
    check_meta(path, content["meta"])


def _unit(path: str, place: int, row: Any, speeds: Sequence[str], seeds: int) -> Unit:
    """Returns a unit from its row; ResultError names what is wrong with it."""
    wrong = _wrong(row, speeds, seeds)
    if wrong:
        raise ResultError(f"Expected {wrong} in `units.{place}` of {path}: {AGAIN}")
    by_speed = {
        speed: {key: [_number(x) for x in numbers.get(key) or ()] for key in NUMBERS}
        for speed, numbers in (row.get("by_speed") or {}).items()
    }
    interval = row.get("motion_need_interval") or (None, None)
    return Unit(
        row["layer"], row["unit"], str(row.get("name") or ""), str(row.get("chosen_as") or ""),
        row.get("score") or {}, bool(row.get("dead")), str(row.get("failed") or ""),
        _number(row.get("natural_max")), _number(row.get("natural_mean")),
        row.get("natural") or (), _number(row.get("motion_need")),
        (_number(interval[0]), _number(interval[1])), str(row.get("preferred_speed") or ""),
        by_speed, str(row.get("file") or ""),
    )  # fmt: skip


def _wrong(row: Any, speeds: Sequence[str], seeds: int) -> str:
    """Returns what a row of `units` should have and has not; "" if it is right."""
    if not isinstance(row, Mapping) or not isinstance(row.get("layer"), str):
        return "an object with a layer"
    if not _is_whole(row.get("unit")):
        return "the number of a unit"
    if not all(_is_number(row.get(x)) for x in ("natural_max", "natural_mean", "motion_need")):
        return "numbers"
    natural = row.get("natural") or []
    if not isinstance(natural, list) or not all(isinstance(x, Mapping) for x in natural):
        return "a list of `natural` clips"
    interval = row.get("motion_need_interval")
    if interval is not None and not (isinstance(interval, list) and len(interval) == 2):
        return "two numbers as `motion_need_interval`"
    by_speed, file = row.get("by_speed") or {}, PurePosixPath(str(row.get("file") or ""))
    if not by_speed:
        return ""
    if set(by_speed) != set(speeds):
        return f"numbers of the speeds {', '.join(speeds)}"
    if file.is_absolute() or ".." in file.parts or file.suffix != ".npz":
        return "an .npz file below its folder as `file`"
    return next(filter(None, (_wrong_numbers(by_speed[x], seeds) for x in speeds)), "")


def _wrong_numbers(numbers: Any, seeds: int) -> str:
    if not isinstance(numbers, Mapping) or not numbers.get("activation"):
        return "activations of every speed"
    for key in NUMBERS:
        values = numbers.get(key)
        if values is None:
            continue
        if not (isinstance(values, list) and len(values) == seeds and all(map(_is_number, values))):
            return f"a number per seed as `{key}`"
    return ""


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
