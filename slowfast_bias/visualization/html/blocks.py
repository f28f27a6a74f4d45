"""What sections are made of: tables, figures with their numbers, clips, notes.

Each kind names the template that draws it; the templates decide what it looks like.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.palette import MARKERS


@dataclass(frozen=True)
class Key:
    """An entry of a legend."""

    name: str
    look: str
    dashed: bool = False
    mark_only: bool = False

    @property
    def shape(self) -> str:
        """The shape of its mark."""
        return MARKERS[self.look]


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what it is sorted by, and a picture in front of the text."""

    text: str
    value: float | str = ""
    picture: Markup | None = None
    key: Key | None = None  # a mark in front of the text


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows.

    Attributes:
        caption: what it shows.
        head: titles of the columns.
        rows: cells, or texts.
        left: the number of columns that are words.
        wide: index of the column that holds pictures, if there is one.
    """

    template: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    left: int = 1
    wide: int = -1

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows with every text as a cell."""
        return [[x if isinstance(x, Cell) else Cell(x, x) for x in row] for row in self.rows]


@dataclass(frozen=True)
class Panel:
    """A picture with a title of its own."""

    title: str
    picture: Markup
    units: bool = False  # whether its marks can be asked for


@dataclass(frozen=True)
class Share:
    """A part of a bar: how much of it, and what it is."""

    name: str
    look: str
    percent: float


@dataclass(frozen=True)
class Figure:
    """Pictures side by side, what their lines are, and the numbers as a table."""

    template: ClassVar[str] = "figure"
    caption: str
    panels: Sequence[Panel]
    keys: Sequence[Key] = ()
    table: Table | None = None
    more: Sequence[Panel] = ()  # shown when asked for


@dataclass(frozen=True)
class Note:
    """A paragraph; a warning has a mark in front."""

    template: ClassVar[str] = "note"
    text: str
    warning: bool = False
    code: str = ""


@dataclass(frozen=True)
class Folded:
    """Further blocks that are shown when asked for."""

    template: ClassVar[str] = "folded"
    title: str
    blocks: Sequence[object]


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    template: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Facts:
    """Names and their values."""

    template: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: for links.
        title: its heading.
        blocks: in their order.
        lead: one paragraph below the heading that says how to read what follows.
        films: whether it has clips that play.
    """

    id: str
    title: str
    blocks: Sequence[object] = field(default_factory=list)
    lead: str = ""
    films: bool = False


def score_cell(value: float, error: float = math.nan, digits: int = 3) -> Cell:
    """Returns a score with its error."""
    return Cell(words.with_error(value, error, digits), value)


def percent_cell(value: float, digits: int = 1) -> Cell:
    """Returns a share in percent."""
    return Cell(words.percent(value, digits), value)


def count_cell(value: int | None) -> Cell:
    """Returns a whole number."""
    return Cell(words.NONE) if value is None else Cell(f"{value}", value)
