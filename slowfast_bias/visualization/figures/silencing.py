"""Silenced units: the score that remains, over the share of a layer's units set to zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias.origin import ORIGIN, origin_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import (
    CHANCE,
    banded_line,
    chance_handle,
    chance_of,
    legend_above,
)
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.silenced_layers import by_layer, score_of

Content = Mapping[str, Any]
KIND = "silencing"
_RANDOM = {"color": "#7F7F7F", "marker": "^", "ls": (0, (4, 1.5))}
_COLUMNS = 3


def ablation_figure(data: Content) -> Figure:
    """Returns the figure of one run's `bias/ablation.json`: a line per order, a panel per layer."""
    return compare_ablations({"": data})


@style.styled()
def compare_ablations(runs: Mapping[str, Content]) -> Figure:
    """Returns one panel per run and layer: the score over the share of silenced units, 95 % bands.

    Args:
        runs: {run: content of its `bias/ablation.json`}.
    """
    if not runs:
        raise RequestError("Expected at least one ablation, but got none.")
    for name, data in runs.items():
        _check(name, data)
    runs = by_layer(runs)
    rows = math.ceil(len(runs) / _COLUMNS)
    columns = math.ceil(len(runs) / rows)
    width = 0.6 + columns * 2.7
    figure = Figure(figsize=(width, 2.3 * rows + 0.2), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for i, ax in enumerate(axes.flat):
        ax.set_visible(i < len(runs))
    for i, (ax, (name, data)) in enumerate(zip(axes.flat, runs.items(), strict=False)):
        _draw(ax, data)
        ax.set_title(captions.wrap_name(name, 34, 2))
        if i % columns == 0:
            ax.set_ylabel(f"{score_of(data)} (%)")
    axes.flat[0].set_ylim(-3, 103)
    handles = style.line_handles({_label(order): _look(order) for order in _orders(runs)})
    if any(chance_of(data) for data in runs.values()):
        handles.append(chance_handle())
    lines = 2 * legend_above(figure, handles, width)
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, width, *_words(runs)))
    return figure


def _draw(ax: Axes, data: Content) -> None:
    style.guides(ax)
    for order, points in data["curves"].items():
        points = sorted(points, key=lambda point: point["fraction"])
        x = [100 * point["fraction"] for point in points]
        y = [number(point, score_of(data)) for point in points]
        low, high = zip(*map(span, points), strict=True) if points else ((), ())
        look = _look(order)
        banded_line(ax, x, y, low, high, gid=order, ms=3.5, **look)
        spread = [number(point, "spread") for point in points]
        if any(s > 0 for s in spread):
            bars = [0 if math.isnan(s) else s for s in spread]
            ax.errorbar(
                x, y, bars, fmt="none", ecolor=look["color"], elinewidth=0.9, capsize=2,
                label=f"{order} spread",
            )  # fmt: skip
    if chance := chance_of(data):
        ax.axhline(chance, gid="chance", zorder=1, **CHANCE)
    ax.set_xlabel(f"silenced units of {_short(data['layer'])} (% of {data['channels']})")


def _check(name: str, data: Content) -> None:
    whose = f" in {name}" if name else ""
    missing = [key for key in ("layer", "channels", "curves") if key not in data]
    if missing or not isinstance(data["curves"], Mapping) or not any(data["curves"].values()):
        raise RequestError(
            f"Expected the content of a bias/ablation.json{whose}, with layer, channels and at "
            f"least one curve, but got {sorted(data)}."
        )
    for order, points in data["curves"].items():
        keys = {"fraction", score_of(data)}
        if not all(isinstance(p, Mapping) and keys <= set(p) for p in points):
            raise RequestError(
                f"Expected points with fraction and {score_of(data)}{whose}, but the curve "
                f"{order!r} has others."
            )


def _orders(runs: Mapping[str, Content]) -> list[str]:
    return list(dict.fromkeys(order for data in runs.values() for order in data["curves"]))


def _label(order: str) -> str:
    return order if order == "random" else f"most {order} first"


def _look(order: str) -> dict[str, Any]:
    if order == "random":
        return _RANDOM
    other = {"color": style.COLORS["joint"], "marker": "D"}
    return other if order not in style.MARKERS else {
        "color": style.COLORS[order], "marker": style.MARKERS[order]
    }  # fmt: skip


def _short(layer: str) -> str:
    return captions.wrap_name(layer, 16, 1)


def _words(runs: Mapping[str, Content]) -> list[str]:
    masks = any(score_of(data) != "accuracy" for data in runs.values())
    words = [f"Bands: 95 % intervals over {'sequences' if masks else 'videos'}."]
    points = [p for data in runs.values() for p in data["curves"].get("random", [])]
    counts = sorted({len(p["seeds"]) for p in points if p.get("seeds")})
    if counts:
        many = " to ".join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))
        words.append(
            f"Random: mean over {many} seeds, bars ± 1 standard deviation over seeds."
            if counts[-1] > 1
            else "Random: one seed."
        )
    if any("least_biased" in str(_meta(data).get("random_from")) for data in runs.values()):
        words.append("Random units: of those least biased to the layer's dominant factor.")
    for said, keys in (("Units ranked with", ORIGIN[:2]), ("Tested on", ORIGIN[2:])):
        metas, kept = map(_meta, runs.values()), (*keys, "pairs_made")
        if origin := origin_words({key: meta.get(key) for key in kept} for meta in metas):
            words.append(f"{said} {origin}.")
    return words


def _meta(data: Content) -> Mapping[str, Any]:
    return data.get("meta") or {}
