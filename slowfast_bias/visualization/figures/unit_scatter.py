"""Every unit of one layer as a point, coloured by its kind: two of its scores against each other.

Motion-only against look-only, or the paper's s_dynamic against s_static, with regions of eq. (3).
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from slowfast_bias.bias import BiasReport, LayerBias
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style

AXES = {"contrasts": ("look", "motion"), "paper": ("static", "dynamic")}  # x, y
_LABELS = {
    "look": r"look-only, $s_\mathrm{static} - s_\mathrm{neither}$",
    "motion": r"motion-only, $s_\mathrm{dynamic} - s_\mathrm{neither}$",
    "static": r"unit score $s_\mathrm{static}$",
    "dynamic": r"unit score $s_\mathrm{dynamic}$",
}
_CORNERS = {  # the place of a kind's region, and of the count in it
    "static": ("right", "bottom"),
    "dynamic": ("left", "top"),
    "joint": ("right", "top"),
    "residual": ("left", "bottom"),
}
_ROOM = 0.24  # beyond the scores on each side, for the counts, so that they cover no unit


@style.styled()
def unit_scatter(report: BiasReport, layer: str, axes: str | None = None) -> Figure:
    """Returns the units of `layer` by two of their scores, with the count of each kind.

    Args:
        report: of one network.
        layer: its name in the report.
        axes: one of AXES: "contrasts" (motion-only against look-only; if not given, where they
            were measured) or "paper" (s_dynamic against s_static).
    """
    bias = report[layer]
    shown = _scores(bias, axes)
    units = bias.units()
    scores = {score: bias.unit_scores(score) for score in shown}
    figure = Figure(figsize=(3.6, 3.75), layout="constrained")
    ax = figure.add_subplot(box_aspect=1)
    ax.set(xlabel=_LABELS[shown[0]], ylabel=_LABELS[shown[1]])
    for kind in _CORNERS:
        x, y = (scores[score][units[kind]].numpy() for score in shown)
        color = style.COLORS[kind] if kind != "residual" else "#8C8C8C"
        label = kind if shown == AXES["paper"] else f"{kind} ({len(units[kind])})"
        ax.scatter(
            x, y, s=9, color=color, alpha=0.75, linewidths=0, label=label, zorder=2, gid=kind
        )
    live = [x.nan_to_num(0) for x in scores.values()]
    if shown == AXES["paper"]:
        low = min([-0.1, *(x.min().item() for x in live)])
        span = (low - _ROOM, 1 + _ROOM)
        step = 0.25 if span[0] > -0.7 else 0.5
        ticks = [step * i for i in range(-4, 5) if span[0] <= step * i <= 1]
        ax.set(xlim=span, ylim=span, xticks=ticks, yticks=ticks)
        _draw_regions(ax, bias, units, span)
    else:
        _draw_zeros(ax)
        figure.legend(loc="outside upper center", ncols=2, handletextpad=0.1)
    ax.set_title(f"{layer}: {bias.channels} units")
    dead = f"{len(units['dead'])} dead units are not shown." if units["dead"] else ""
    coloured = "" if shown == AXES["paper"] else "Colours: what a unit encodes by the paper."
    words = (coloured, captions.threshold_words([report]), captions.pairs_words([report]), dead)
    captions.make_taller(figure, captions.write_caption(figure, {layer: report}, 3.6, *words))
    return figure


def _scores(bias: LayerBias, axes: str | None) -> tuple[str, str]:
    """Returns the scores of the x and the y axis; RequestError if they were not measured."""
    there = "motion" in bias.measured and "look" in bias.measured
    axes = axes or ("contrasts" if there else "paper")
    if axes not in AXES:
        raise RequestError(f"Expected `axes` to be one of {', '.join(AXES)}, but got {axes!r}.")
    if axes == "contrasts" and not there:
        raise RequestError(
            "Expected a report with motion-only and look-only for the axes contrasts, but this "
            "one has neither: measure again, or take the axes 'paper'."
        )
    return AXES[axes]


def _draw_zeros(ax: Axes) -> None:
    """Draws both lines of zero; spans are as long on both axes, so that distances compare."""
    spans = [(min(low, 0), max(high, 0)) for low, high in (ax.get_xlim(), ax.get_ylim())]
    length = 1.06 * max(high - low for low, high in spans)
    for axis, (low, high), name in zip((ax.xaxis, ax.yaxis), spans, "xy", strict=True):
        middle = (low + high) / 2
        ax.set(**{f"{name}lim": (middle - length / 2, middle + length / 2)})
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    for line in (ax.axvline, ax.axhline):
        line(0, color=style.GREY, lw=0.7, zorder=1, gid="zero")


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
