"""Every unit of one layer as a point: s_static against s_dynamic, with the regions of eq. (3)."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from slowfast_bias.bias import BiasReport, LayerBias
from slowfast_bias.visualization.drawing import captions, style

_CORNERS = {  # the place of a kind's region, and of the count in it
    "static": ("right", "bottom"),
    "dynamic": ("left", "top"),
    "joint": ("right", "top"),
    "residual": ("left", "bottom"),
}
_ROOM = 0.24  # beyond the scores on each side, for the counts, so that they cover no unit


@style.styled()
def unit_scatter(report: BiasReport, layer: str) -> Figure:
    """Returns the units of `layer` by their two scores, counted in the regions of their kinds."""
    bias = report[layer]
    units = bias.units()
    scores = {factor: bias.unit_scores(factor) for factor in ("static", "dynamic")}
    lowest = min([-0.1, *(x.nan_to_num(0).min().item() for x in scores.values())])
    span = (lowest - _ROOM, 1 + _ROOM)
    figure = Figure(figsize=(3.6, 3.75), layout="constrained")
    ax = figure.add_subplot(box_aspect=1)
    ax.set(xlim=span, ylim=span)
    step = 0.25 if span[0] > -0.7 else 0.5
    ticks = [step * i for i in range(-4, 5) if span[0] <= step * i <= 1]
    ax.set(xticks=ticks, yticks=ticks)
    ax.set(xlabel=r"unit score $s_\mathrm{static}$", ylabel=r"unit score $s_\mathrm{dynamic}$")
    for kind in _CORNERS:
        x, y = (scores[factor][units[kind]].numpy() for factor in ("static", "dynamic"))
        color = style.COLORS[kind] if kind != "residual" else "#8C8C8C"
        ax.scatter(x, y, s=9, color=color, alpha=0.75, linewidths=0, label=kind, zorder=2)
    _draw_regions(ax, bias, units, span)
    ax.set_title(f"{layer}: {bias.channels} units")
    dead = f"{len(units['dead'])} dead units are not shown." if units["dead"] else ""
    words = (captions.threshold_words([report]), captions.pairs_words([report]), dead)
    captions.make_taller(figure, captions.write_caption(figure, {layer: report}, 3.6, *words))
    return figure


def _draw_regions(
    ax: Axes, bias: LayerBias, units: Mapping[str, list[int]], span: tuple[float, float]
) -> None:
    spans = {"left": (span[0], bias.threshold), "right": (bias.threshold, span[1])}
    spans |= {"bottom": spans["left"], "top": spans["right"]}
    for kind, (side, level) in _CORNERS.items():
        (x, u), (y, v) = spans[side], spans[level]
        color = style.COLORS[kind]
        ax.add_patch(Rectangle((x, y), u - x, v - y, color=color, alpha=0.13, lw=0, zorder=0))
        ax.annotate(
            f"{kind}\n{len(units[kind])} ({100 * len(units[kind]) / bias.channels:.0f} %)",
            (x if side == "left" else u, y if level == "bottom" else v),
            xytext=(3 if side == "left" else -3, 3 if level == "bottom" else -3),
            textcoords="offset points", ha=side, va=level, fontsize=style.TEXT, zorder=4,
            linespacing=1.1, gid=kind,
        )  # fmt: skip
    for line in (ax.axvline, ax.axhline):
        line(bias.threshold, color=style.GREY, lw=0.8, ls=(0, (4, 3)), zorder=3, gid="threshold")
