"""Clips made for units, at every speed, with the numbers that say whether to believe them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.drawing.style import COLORS
from slowfast_bias.visualization.figures.maximised_words import (
    REACHED,
    SAID,
    chosen_words,
)
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Cell, Folded, Heading, Note, Section, Table
from slowfast_bias.visualization.html.sections.clips import Film, Strips, missing_notes
from slowfast_bias.visualization.html.sections.maximised_strips import OF_DATA, strips_of
from slowfast_bias.visualization.reading.maximised import Maximised, Unit
from slowfast_bias.visualization.reading.run_folder import RunFolder

_COARSE = 64  # pixels; smaller pictures are enlarged as they are
_OPEN = 6  # units that are not folded up
_WARNING = (
    "A picture shows one clip that drives a unit, not what the unit is for. Such pictures can be "
    "made to show anything (Geirhos et al. 2023), and clips of the data tell people more (Borowski "
    "et al. 2021): they stand beside. Trust a picture as far as other networks agree with it "
    "(transfer) and as it is like natural clips on its way through the network (path); and believe "
    "that motion matters only if the frozen clip, one image repeated, does worse."
)


@dataclass(frozen=True)
class FilmRow:
    """Films of one size beside each other."""

    title: str
    films: Sequence[Film]
    frames: int
    ratio: float
    coarse: bool
    beside: bool  # whether it stands beside the others if there is room


@dataclass(frozen=True)
class UnitMade:
    """A unit with the clips that were made for it, those of the data, and its numbers."""

    template: ClassVar[str] = "made"
    title: str
    kind: str
    about: str
    rows: Sequence[FilmRow]
    numbers: Folded


def maximised_section(runs: Mapping[str, RunFolder], strips: Strips) -> Section | None:
    """Returns the units of every run that clips were made for."""
    found = {name: run.maximised for name, run in runs.items() if run.maximised}
    if not found:
        return None
    blocks: list[object] = [Note(_WARNING)]
    for name, made in found.items():
        if len(runs) > 1:
            blocks.append(Heading(name))
        blocks += _blocks(made, strips)
    lead = (
        "Clips made from noise to drive single units as much as they can, at several speeds. "
        f"Below a clip: {REACHED}. A clip plays while it is pointed at or has the focus."
    )
    return Section(
        "maximised", "Clips made for units", [*blocks, *missing_notes(strips)], lead, films=True
    )


def _blocks(found: Maximised, strips: Strips) -> list[object]:
    units = [_unit(found, unit, strips) for unit in found.drawn]
    blocks: list[object] = [_summary(found)] if units else []
    blocks += units[:_OPEN]
    if units[_OPEN:]:
        blocks.append(Folded(f"{words.count(len(units) - _OPEN, 'unit')} more", units[_OPEN:]))
    return [*blocks, *_notes(found)]


def _notes(found: Maximised) -> Iterator[Note]:
    """Returns which units have no clips, or clips that did not come out, and why."""
    dead = [unit.title for unit in found.units if unit.dead]
    if dead:
        yield Note(f"Dead on the data, and skipped: {words.listed(dead)}.", True)
    for unit in found.units:
        if unit.failed and not unit.dead:
            yield Note(f"{unit.title}: {unit.failed}", True)


def _summary(found: Maximised) -> Table:
    """Returns a row per unit: its motion need, and how far its free clip can be believed."""
    free, last = found.speeds[0], found.speeds[-1]
    head = ["unit", "motion need", "preferred speed", *dict.fromkeys((free, last))]
    head += ["best of the data", "transfer", "path"]
    rows = [
        [
            unit.title,
            Cell(_need(unit), unit.motion_need),
            unit.preferred_speed or words.NONE,
            *(_cell(unit, speed, "activation") for speed in dict.fromkeys((free, last))),
            Cell(words.score(unit.natural_max, 2), unit.natural_max),
            *(_cell(unit, free, key) for key in ("transfer", "path_similarity")),
        ]
        for unit in found.drawn
    ]
    best = f"means and ranges over {len(found.seeds)} seeds; pictures are of the best one" * (
        len(found.seeds) > 1
    )
    caption = (
        "Motion need is 0 if one repeated image does as well as a free clip, and 1 if it does no "
        f"better than the mean clip of the data{f'; {best}' if best else ''}. Its interval: 95 %."
    )
    return Table(caption, head, rows)


def _need(unit: Unit) -> str:
    low, high = unit.motion_need_interval
    return f"{words.score(unit.motion_need, 2)} {words.span(low, high, 2)}".strip()


def _unit(found: Maximised, unit: Unit, strips: Strips) -> UnitMade:
    about = [unit.where if unit.name else "", chosen_words(unit)]
    if math.isfinite(unit.motion_need):
        about.append(f"motion need {_need(unit)}")
    kind = unit.chosen_as if unit.chosen_as in COLORS else ""
    return UnitMade(
        unit.title,
        kind,
        " · ".join(filter(None, (x for x in about if x != kind))),
        _rows(found, unit, strips),
        Folded("The numbers", [_table(found, unit)]),
    )


def _rows(found: Maximised, unit: Unit, strips: Strips) -> list[FilmRow]:
    """Returns the films of a unit; those that cannot be read are noted."""
    try:
        films = strips_of(found, unit)
    except ResultError:
        strips.unreadable.append(f"{unit.file}")
        return []
    rows = []
    for title, made in films:
        shown = [Film(strips.add(x.strip.webp), x.name, x.value, x.text) for x in made]
        (height, width), frames = made[0].strip.size, made[0].strip.frames
        coarse = max(height, width) < _COARSE
        ratio, beside = round(width / height, 3), title == OF_DATA
        rows.append(FilmRow(title, shown, frames, ratio, coarse, beside))
    return rows


def _table(found: Maximised, unit: Unit) -> Table:
    """Returns the numbers of a unit, a row per speed."""
    keys = [key for key in SAID if any(math.isfinite(unit.mean(x, key)) for x in found.speeds)]
    keys = [key for key in keys if not (key == "ratio" and unit.is_class)]
    rows = [[speed, *(_cell(unit, speed, key) for key in keys)] for speed in found.speeds]
    caption = "; ".join(f"{SAID[key][0]}: {SAID[key][1]}" for key in keys)
    return Table(
        f"{caption[:1].upper()}{caption[1:]}.", ["speed", *(SAID[x][0] for x in keys)], rows
    )


def _cell(unit: Unit, speed: str, key: str) -> Cell:
    """Returns the mean over seeds, and their range if there are several."""
    mean = unit.mean(speed, key)
    known = [x for x in unit.values(speed, key) if math.isfinite(x)]
    span = words.span(min(known), max(known), 2) if len(known) > 1 else ""
    return Cell(f"{words.score(mean, 2)} {span}".strip(), mean)
