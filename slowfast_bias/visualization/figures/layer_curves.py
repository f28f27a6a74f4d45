"""Layer-wise curves: a panel per score, a curve per model, each panel with its own axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above
from slowfast_bias.visualization.drawing.layer_axis import Depth, pathway, runs, stage, stages
from slowfast_bias.visualization.drawing.score_axis import dress_scores
from slowfast_bias.visualization.reading.headline import (
    LABELS,
    Reading,
    headline,
    reading,
    title_of,
)


@style.styled()
def layer_curves(
    reports: Mapping[str, BiasReport],
    factors: Sequence[str] | None = None,
    value: str = "score",
) -> Figure:
    """Returns one panel per score with a curve per model, layers in network order.

    Models whose layers have different names share an axis of relative depth. Pathways of one model
    are two lines of one colour.

    Args:
        reports: {model: report}, in the order of the legend.
        factors: one panel each: names of scores; S_static, motion-only and content if not given,
            or static and dynamic where there is no motion-only.
        value: "score", or "percent" (static, dynamic and residual share).
    """
    captions.check_reports(reports)
    factors = headline(reports.values(), value) if factors is None else factors
    count, ticks = len(factors), Depth.of(reports).ticks
    inches = min(max(0.21 * len(ticks or ()), 2.7), 4.2)
    width = 0.7 + count * (inches + (0.15 if value == "percent" else 0.45))
    figure = Figure(figsize=(width, 2.55), layout="constrained")
    axes = figure.subplots(1, count, sharey=value == "percent", squeeze=False)[0]
    draw_panels(axes, reports, factors, value, inches)
    rows = name_models(figure, reports, width)
    words = (captions.pairs_words(reports.values()), captions.error_words(reports.values()))
    words += (captions.motion_words(reports),) if "motion" in factors else ()
    captions.make_taller(figure, 2 * rows + captions.write_caption(figure, reports, width, *words))
    return figure


def draw_panels(
    axes: Sequence[Axes],
    reports: Mapping[str, BiasReport],
    factors: Sequence[str],
    value: str,
    inches: float,
) -> None:
    """Draws every model's curve of `factors[i]` into `axes[i]`, each about `inches` wide."""
    depth, styles = Depth.of(reports), model_looks(reports)
    for ax, factor in zip(axes, factors, strict=True):
        style.guides(ax)
        for name, report in reports.items():
            places = depth.positions(report)
            draw_curve(ax, name, report, reading(factor, value), places, **styles[name])
        depth.label_axis(ax, inches)
        title = title_of(factor, value, bold=True)
        ax.set_title(title, color=style.INK.get(factor, "black"), fontweight="bold")
        if value == "score":
            dress_scores(ax, (factor,))
    axes[0].set_ylabel(LABELS[value])


def model_looks(reports: Mapping[str, BiasReport]) -> dict[str, dict[str, Any]]:
    """Returns {model: colour, marker, ...}; networks for reference are thin, grey and dashed."""
    main = style.model_styles(name for name, x in reports.items() if not is_reference(x))
    rest = style.model_styles(name for name, x in reports.items() if is_reference(x))
    looks = main | {name: {**look, **style.REFERENCE} for name, look in rest.items()}
    return {name: looks[name] for name in reports}


def draw_curve(
    ax: Axes,
    name: str,
    report: BiasReport,
    read: Reading,
    places: Mapping[str, float],
    **look: Any,
) -> None:
    """Draws one model: a line per pathway; layers with a single pathway are joined to all lines."""
    color, plain = look["color"], look.get("ls", "-")
    fill = look.get("mfc", color)
    size = {key: look[key] for key in ("lw", "ms", "zorder") if key in look}
    points = {layer: (places[layer], *read(bias)) for layer, bias in report.layers.items()}
    paths = dict.fromkeys(map(pathway, points))
    lines = [(p, run) for p in paths for run in runs(x for x in points if pathway(x) == p)]
    for path, members in lines:
        x, y, errors = zip(*(points[layer] for layer in members), strict=True)
        dashed = path is not None and path % 2 == 1
        line = ax.errorbar(
            x, y, yerr=[0 if math.isnan(e) else e for e in errors],
            color=color, marker=look["marker"], mew=1.0, mfc="white" if dashed else fill,
            ls="none" if path is None and len(paths) > 1 else ("--" if dashed else plain),
            elinewidth=0.8, capsize=1.5, capthick=0.8, label=name, **size,
        )  # fmt: skip
        line[0].set_gid("|".join(members))
    for a, b in _joints(points):
        (x, y, _), (u, v, _) = points[a], points[b]
        dashed = 1 in (pathway(a), pathway(b))
        ls = "--" if dashed else plain
        ax.plot([x, u], [y, v], color=color, ls=ls, lw=size.get("lw"), gid="joint", zorder=1)


def name_models(figure: FigureBase, reports: Mapping[str, BiasReport], inches: float) -> int:
    """Writes the legend of models (and pathways) above panels; returns its row count."""
    styles = model_looks(reports)
    handles = style.line_handles({captions.wrap_name(n, 60, 1): s for n, s in styles.items()})
    if any(pathway(layer) is not None for report in reports.values() for layer in report.layers):
        handles += style.pathway_handles()
    return legend_above(figure, handles, inches)


def _joints(points: Mapping[str, tuple]) -> list[tuple[str, str]]:
    """Returns neighbouring layers that no pathway's line joins: one of them has no pathway."""
    if all(pathway(layer) is None for layer in points):
        return []
    order = stages(points)
    at = {name: [layer for layer in points if stage(layer) == name] for name in order}
    return [
        (a, b)
        for here, there in zip(order, order[1:], strict=False)
        for a in at[here]
        for b in at[there]
        if None in (pathway(a), pathway(b))
    ]
