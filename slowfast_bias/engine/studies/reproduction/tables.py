"""Tables of numbers, as Markdown and as JSON; a number may have an error or an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slowfast_bias.plain_table import markdown

Cell = str | float | None | tuple[float, ...]  # a tuple: (value, error) or (value, low, high)
MISSING = "-"


@dataclass(frozen=True)
class Table:
    """Rows below a head.

    Attributes:
        title: what it is.
        columns: {title: digits behind the point}; -1 for words.
        rows: a cell per column; None where nothing is known.
    """

    title: str
    columns: dict[str, int]
    rows: Sequence[Sequence[Cell]]

    def to_markdown(self) -> str:
        """Returns the title and the table; columns in which nothing is known are left out."""
        shown = [
            i for i, _ in enumerate(self.columns) if any(row[i] is not None for row in self.rows)
        ]
        names = list(self.columns)
        head = [names[i] for i in shown]
        body = [[_text(row[i], self.columns[names[i]]) for i in shown] for row in self.rows]
        left = sum(self.columns[names[i]] < 0 for i in shown)
        return "\n".join([f"*{self.title}*", "", *markdown([head, *body], left)]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Returns title, columns and rows in full."""
        return {"title": self.title, "columns": list(self.columns), "rows": list(self.rows)}


def beside(ours: float | None, theirs: float | None) -> tuple[Cell, Cell, Cell]:
    """Returns our number, the published one, and ours minus theirs; None where one is missing."""
    known = ours is not None and not math.isnan(ours) and theirs is not None
    return ours, theirs, ours - theirs if known else None


def _text(cell: Cell, digits: int) -> str:
    if cell is None or isinstance(cell, str):
        return MISSING if cell is None else cell
    numbers = cell if isinstance(cell, tuple) else (cell,)
    if math.isnan(numbers[0]):
        return MISSING
    value, *more = (_rounded(x, digits) for x in numbers)
    if len(more) == 2:
        return f"{value} [{more[0]}, {more[1]}]"
    return f"{value} ± {more[0]}" if more else value


def _rounded(x: float, digits: int) -> str:
    text = MISSING if math.isnan(x) else f"{x:.{digits}f}"
    return text.removeprefix("-") if text.strip("-0.") == "" and text != MISSING else text
