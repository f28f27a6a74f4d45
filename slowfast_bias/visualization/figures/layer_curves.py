"""Layer-wise curves: how much each layer of each model encodes a factor (METHOD eq. (1))."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from slowfast_bias.bias import FACTORS, BiasReport, LayerBias
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.layer_axis import Depth, pathway, stage, stages

LABELS = {"percent": "share of the layer (%)", "score": "layer score $S$"}
ERRORS = "Error bars: ± 1 standard error over videos."
Reading = Callable[[LayerBias], tuple[float, float]]


@style.styled()
def layer_curves(
    reports: Mapping[str, BiasReport],
    factors: Sequence[str] = FACTORS,
    value: str = "percent",
) -> Figure:
    """Returns one panel per factor with a curve per model, layers in network order.

    Models whose layers have different names share an axis of relative depth. Pathways of one model
    are two lines of one colour.

    Args:
        reports: {model: report}, in the order of the legend.
        factors: one panel each.
        value: "percent" (static, dynamic and residual share) or "score" (S_F of any factor).
    """
    captions.check_reports(reports)
    count, ticks = len(factors), Depth.of(reports).ticks
    inches = min(max(0.21 * len(ticks or ()), 2.7), 4.2)
    width = 0.7 + count * (inches + 0.15)
    figure = Figure(figsize=(width, 2.55), layout="constrained")
    axes = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    draw_panels(axes, reports, factors, value, inches)
    rows = name_models(figure, reports, width)
    words = (captions.pairs_words(reports.values()), ERRORS)
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
    depth, styles = Depth.of(reports), style.model_styles(reports)
    for ax, factor in zip(axes, factors, strict=True):
        style.guides(ax)
        for name, report in reports.items():
            places = depth.positions(report)
            draw_curve(ax, name, report, reading(factor, value), places, **styles[name])
        depth.label_axis(ax, inches)
        ax.set_title(factor, color=style.COLORS.get(factor, "black"), fontweight="bold")
    axes[0].set_ylabel(LABELS[value])


def draw_curve(
    ax: Axes,
    name: str,
    report: BiasReport,
    read: Reading,
    places: Mapping[str, float],
    color: str,
    marker: str,
) -> None:
    """Draws one model: a line per pathway; layers with a single pathway are joined to all lines."""
    points = {layer: (places[layer], *read(bias)) for layer, bias in report.layers.items()}
    paths = dict.fromkeys(map(pathway, points))
    for path in paths:
        members = [layer for layer in points if pathway(layer) == path]
        x, y, errors = zip(*(points[layer] for layer in members), strict=True)
        dashed = path is not None and path % 2 == 1
        line = ax.errorbar(
            x, y, yerr=[0 if math.isnan(e) else e for e in errors],
            color=color, marker=marker, mfc="white" if dashed else color, mew=1.0,
            ls="none" if path is None and len(paths) > 1 else ("--" if dashed else "-"),
            elinewidth=0.8, capsize=1.5, capthick=0.8, label=name,
        )  # fmt: skip
        line[0].set_gid("|".join(members))
    for a, b in _joints(points):
        (x, y, _), (u, v, _) = points[a], points[b]
        dashed = 1 in (pathway(a), pathway(b))
        ax.plot([x, u], [y, v], color=color, ls="--" if dashed else "-", gid="joint", zorder=1)


def reading(factor: str, value: str) -> Reading:
    """Returns the function: layer -> (value, standard error) of `factor`."""
    if value == "score":
        return lambda layer: (layer.score(factor), layer.score_error(factor))
    if value != "percent":
        raise RequestError(f"Expected `value` to be 'percent' or 'score', but got {value!r}.")
    if factor not in (*FACTORS, "residual"):
        raise RequestError(
            f"Expected one of the factors static, dynamic, residual, but got {factor!r}: only they "
            "have a share of a layer; value='score' shows any factor."
        )
    return lambda layer: (
        layer.percent()[factor],
        layer.stderr.get("percent", {}).get(factor, math.nan),
    )


def name_models(figure: FigureBase, reports: Mapping[str, BiasReport], inches: float) -> int:
    """Writes the legend of models (and pathways) above panels; returns its row count."""
    styles = style.model_styles(reports)
    handles = style.line_handles({captions.wrap_name(n, 60, 1): s for n, s in styles.items()})
    if any(pathway(layer) is not None for report in reports.values() for layer in report.layers):
        handles += style.pathway_handles()
    if len(handles) == 1:
        columns = 1
    else:
        letters = max(len(str(handle.get_label())) for handle in handles)
        columns = min(max(int(inches / (0.45 + letters * 0.068)), 1), len(handles))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
    return math.ceil(len(handles) / columns)


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
