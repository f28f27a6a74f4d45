"""Shared parts of figures: a line with its band, the line of chance, a legend above the panels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D

from slowfast_bias.visualization.drawing import style

BAND = 0.16  # opacity
CHANCE = {"color": style.GREY, "lw": 0.8, "ls": ":"}  # the look of the line
_LETTER = 0.065  # inches a character of the legend takes
_HANDLE = 0.55  # and a handle with the space around it


def banded_line(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    gid: str,
    **look: object,
) -> None:
    """Draws a line named `gid` with a band from `low` to `high`; NaN leaves a gap in either.

    A point between two gaps gets a bar, because a band without width would not be visible.
    """
    ax.plot(x, y, gid=gid, **look)
    color = look["color"]
    ax.fill_between(x, low, high, color=color, alpha=BAND, lw=0, gid=f"{gid} band")
    spans = [math.isfinite(a) and math.isfinite(b) for a, b in zip(low, high, strict=True)]
    for i, there in enumerate(spans):
        if there and not any(spans[j] for j in (i - 1, i + 1) if 0 <= j < len(spans)):
            ax.plot([x[i]] * 2, [low[i], high[i]], color=color, lw=0.8, gid=f"{gid} bar")


def chance_of(data: Mapping[str, Any]) -> float | None:
    """Returns the accuracy of a guess in percent, if a result names its number of classes."""
    classes = data.get("classes") or data.get("meta", {}).get("classes")
    return 100 / classes if classes else None


def chance_handle() -> Line2D:
    """Returns the legend entry of the lines that show chance."""
    return Line2D([], [], label="chance", **CHANCE)


def legend_above(figure: FigureBase, handles: Sequence[Artist], inches: float) -> int:
    """Writes one legend above all panels of a figure `inches` wide; returns its number of rows."""
    rows, columns = legend_shape(handles, inches)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
    return rows


def legend_shape(handles: Sequence[Artist], inches: float) -> tuple[int, int]:
    """Returns (rows, columns) of a legend that is at most `inches` wide, if that can be."""
    widths = [_HANDLE + _LETTER * len(str(handle.get_label())) for handle in handles]
    for rows in range(1, len(widths) + 1):  # filled column by column
        columns = [widths[i : i + rows] for i in range(0, len(widths), rows)]
        if sum(map(max, columns)) <= inches:
            break
    return rows, len(columns)
