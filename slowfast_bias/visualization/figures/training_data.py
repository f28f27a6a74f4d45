"""What the training data make of a network: the shares of its last layer, a panel per network.

    figure = share_bars(rows)

A row is one network: {"network": "SlowOnly", "data": "SSv2", "shares": {"static": %, "dynamic": %},
"errors": the same, "published": the same, {} where nothing is published}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from slowfast_bias.bias import FACTORS
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above
from slowfast_bias.visualization.reading.result_files import number

Row = Mapping[str, Any]
_WIDTH = 0.36  # of a bar, if groups are 1 apart
_MARK = {"color": "black", "marker": "D", "ls": "none", "ms": 4, "mfc": "white"}


@style.styled()
def share_bars(rows: Sequence[Row], what: str = "the last layer") -> Figure:
    """Returns a panel per network: static and dynamic share per training set, published as marks.

    Args:
        rows: in the order of panels and groups; each network and training set once.
        what: the layer, for the axis.
    """
    if not rows:
        raise RequestError("Expected at least one network, but got none.")
    networks = list(dict.fromkeys(row["network"] for row in rows))
    data = list(dict.fromkeys(row["data"] for row in rows))
    width = 0.7 + len(networks) * max(0.85 * len(data), 1.6)
    figure = Figure(figsize=(width, 2.3), layout="constrained")
    axes = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
    for ax, network in zip(axes, networks, strict=True):
        style.guides(ax)
        _draw(ax, [row for row in rows if row["network"] == network], data)
        ax.set_title(captions.wrap_name(network, 34, 1))
    axes[0].set_ylabel(f"share of {what} (%)")
    axes[0].set_ylim(0, 1.12 * max(axes[0].get_ylim()[1], 10))
    handles = [Patch(label=factor, color=style.COLORS[factor]) for factor in FACTORS]
    published = any(row["published"] for row in rows)
    handles += [Line2D([], [], label="published", **_MARK)] if published else []
    lines = 2 * legend_above(figure, handles, width)
    words = ["Error bars: ±\N{NO-BREAK SPACE}1 standard error over videos."]
    words += (
        ["Numbers are ours; published ones are of other videos and styles."] if published else []
    )
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, width, *words))
    return figure


def _draw(ax: Axes, rows: Sequence[Row], data: Sequence[str]) -> None:
    """Draws a group of two bars per training set, their errors, their values, published marks."""
    for side, factor in enumerate(FACTORS):
        x = [data.index(row["data"]) + (side - 0.5) * _WIDTH for row in rows]
        heights = [number(row["shares"], factor) for row in rows]
        errors = [number(row["errors"], factor) for row in rows]
        ax.bar(x, heights, 0.94 * _WIDTH, color=style.COLORS[factor], label=factor)
        for at, height, error, row in zip(x, heights, errors, rows, strict=True):
            error = 0.0 if math.isnan(error) else error
            ax.plot([at] * 2, [height - error, height + error], color="black", lw=0.8)
            known = number(row["published"], factor)
            ax.plot([at], [known], gid=f"{factor} published", **_MARK)
            top = max(x for x in (height + error, known) if not math.isnan(x))
            ax.annotate(
                f"{height:.1f}", (at, top), xytext=(0, 3), textcoords="offset points",
                ha="center", va="bottom", fontsize=style.SMALL,
            )  # fmt: skip
    ax.set_xticks(range(len(data)), [captions.wrap_name(name, 12, 2) for name in data])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(data) - 0.4)
