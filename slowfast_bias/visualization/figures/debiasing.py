"""What dropout does to a network: dynamic units, accuracy, rare and common classes.

    figure = debiasing_bars(rows)

A row is one trained network: {"data": "SSv2", "dropout": "static 0.3", "top1": %, "dynamic": % of
units, "least_common": %, "most_common": %, "published": {"top1", "dynamic_units"} or {}}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above
from slowfast_bias.visualization.reading.result_files import number

Row = Mapping[str, Any]
# Panel -> its label, and the number's name among those published.
PANELS = {
    "dynamic": ("dynamic units (%)", "dynamic_units"),
    "top1": ("top-1 accuracy (%)", "top1"),
    "least_common": ("least common classes (%)", ""),
    "most_common": ("most common classes (%)", ""),
}
_MARK = {"color": "black", "marker": "D", "ls": "none", "ms": 4, "mfc": "white"}
_TALL = 0.21  # inches a bar takes


@style.styled()
def debiasing_bars(rows: Sequence[Row]) -> Figure:
    """Returns a row of panels per data set: a bar per kind of dropout, published numbers as marks.

    Panels for which no row has a number are left out.
    """
    if not rows:
        raise RequestError("Expected at least one network, but got none.")
    panels = [key for key in PANELS if any(not math.isnan(number(row, key)) for row in rows)]
    if not panels:
        raise RequestError(f"Expected a number in some row for one of {', '.join(PANELS)}.")
    groups = {data: [r for r in rows if r["data"] == data] for data in _data(rows)}
    width = 1.7 + 2.1 * len(panels)
    heights = [_TALL * len(members) + 0.45 for members in groups.values()]
    figure = Figure(figsize=(width, sum(heights) + 0.45), layout="constrained")
    axes = figure.subplots(
        len(groups), len(panels), sharex="col", sharey="row", height_ratios=heights, squeeze=False
    )
    for line, (data, members) in zip(axes, groups.items(), strict=True):
        for ax, key in zip(line, panels, strict=True):
            _draw(ax, members, key)
        line[0].set_title(captions.wrap_name(data, 40, 1), loc="left")
    for ax, key in zip(axes[-1], panels, strict=True):
        ax.set_xlabel(PANELS[key][0])
    words, lines = ["One network each."], 0
    if any(row["published"] for row in rows):
        lines = 2 * legend_above(figure, [Line2D([], [], label="published", **_MARK)], width)
        words.append("Numbers are ours; published ones are of other videos and styles.")
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, width, *words))
    return figure


def _draw(ax: Axes, rows: Sequence[Row], key: str) -> None:
    """Draws one number of the networks of one data set, its value behind the bar."""
    ax.grid(axis="x", color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)
    color = style.COLORS["dynamic"] if key == "dynamic" else style.GREY
    lengths = [number(row, key) for row in rows]
    ax.barh(range(len(rows)), lengths, 0.72, color=color, label=key)
    for at, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        known = number(row["published"], PANELS[key][1])
        ax.plot([known], [at], gid=f"{key} published", **_MARK)
        end = max((x for x in (length, known) if not math.isnan(x)), default=0.0)
        ax.annotate(
            "-" if math.isnan(length) else f"{length:.1f}", (end, at), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=style.SMALL,
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [captions.wrap_name(row["dropout"], 30, 1) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.4, -0.6)  # the first one on top
    ax.set(xlim=(0, 118), xticks=range(0, 101, 25))


def _data(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["data"] for row in rows))
