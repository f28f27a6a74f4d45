"""Frames in and out of order: the accuracy that a network loses if it cannot use motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import (
    CHANCE,
    chance_handle,
    chance_of,
    legend_above,
)
from slowfast_bias.visualization.reading.result_files import number, span

Content = Mapping[str, Any]
KIND = "frame_orders"
ORDERS = {
    "ordered": "#3B3B3B",
    "shuffled": "#CC6677",
    "reversed": "#DDCC77",
    "frozen": "#88CCEE",
}
_WIDTH = 0.2  # of a bar, if groups are 1 apart


@style.styled()
def order_bars(runs: Mapping[str, Content]) -> Figure:
    """Returns a group of bars per run: accuracy by order of frames, the relative drop below.

    Args:
        runs: {run: content of its `bias/orders.json`}.
    """
    if not runs:
        raise RequestError("Expected at least one run, but got none.")
    for name, data in runs.items():
        _check(name, data)
    slot = 1.25
    width = max(0.7 + slot * len(runs), 3.2)
    figure = Figure(figsize=(width, 2.3), layout="constrained")
    ax = figure.subplots()
    style.guides(ax)
    for i, order in enumerate(ORDERS):
        _draw(ax, runs, order, (i - (len(ORDERS) - 1) / 2) * _WIDTH)
    for i, data in enumerate(runs.values()):
        if chance := chance_of(data):
            ax.plot([i - 0.5, i + 0.5], [chance, chance], gid="chance", **CHANCE)
    names = _names(runs)
    ax.set_xticks(range(len(runs)), names)
    ax.tick_params(axis="x", length=0)
    margin = (width - 0.7) / slot / 2 - (len(runs) - 1) / 2  # a single group keeps its width
    ax.set(xlim=(-margin, len(runs) - 1 + margin), ylim=(0, 112), yticks=range(0, 101, 20))
    ax.set_ylabel("accuracy (%)")
    handles = [Patch(label=order, color=color) for order, color in ORDERS.items()]
    if any(chance_of(data) for data in runs.values()):
        handles.append(chance_handle())
    lines = 2 * legend_above(figure, handles, width) + max(n.count("\n") for n in names) + 1
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, width, *_words(runs)))
    return figure


def _draw(ax: Axes, runs: Mapping[str, Content], order: str, shift: float) -> None:
    """Draws the bars of one order, their intervals, and their values above."""
    x = [i + shift for i in range(len(runs))]
    heights = [number(data[order], "accuracy") for data in runs.values()]
    spans = [span(data[order]) for data in runs.values()]
    ax.bar(x, heights, 0.92 * _WIDTH, color=ORDERS[order], label=order)
    for at, height, (low, high) in zip(x, heights, spans, strict=True):
        ax.plot([at, at], [low, high], color="black", lw=0.8, gid=f"{order} interval")
        top = max(v for v in (height, high, 0) if v == v)
        ax.annotate(
            f"{height:.0f}" if height == height else "-", (at, top), xytext=(0, 1.5),
            textcoords="offset points", ha="center", va="bottom", fontsize=style.SMALL,
        )  # fmt: skip


def _names(runs: Mapping[str, Content]) -> list[str]:
    """Returns the text below each group; the drops of all groups are at one height."""
    names = [captions.wrap_name(name, 18, 3) for name in runs]
    most = max(name.count("\n") for name in names)
    return [
        name + "\n" * (most - name.count("\n") + 1) + _drop(data)
        for name, data in zip(names, runs.values(), strict=True)
    ]


def _drop(data: Content) -> str:
    """Returns the relative drop and its interval in two short lines."""
    drop, (low, high) = number(data, "relative_drop"), span(data, "relative_drop_interval")
    if drop != drop:
        return "drop: -\n"
    return f"drop {drop:.0f} %\n" + (f"[{low:.0f}, {high:.0f}]" if low == low else "")


def _check(name: str, data: Content) -> None:
    lacking = [order for order in ORDERS if "accuracy" not in (data.get(order) or {})]
    if lacking:
        raise RequestError(
            f"Expected the content of a bias/orders.json for {name!r}, but it has no accuracy for "
            f"{', '.join(lacking)}."
        )


def _words(runs: Mapping[str, Content]) -> list[str]:
    counts = {key: {data.get(key) for data in runs.values()} for key in ("videos", "orders")}
    said = []
    if len(counts["videos"]) == 1 and (videos := counts["videos"].pop()):
        said.append(f"n = {videos} videos.".replace(" ", "\N{NO-BREAK SPACE}"))
    said.append("Bars: 95 % intervals.")
    if len(counts["orders"]) == 1 and (orders := counts["orders"].pop()):
        said.append(f"Shuffled: mean over {orders} random orders.")
    return [*said, "Drop: share of the ordered accuracy that shuffling costs, 95 % interval."]
