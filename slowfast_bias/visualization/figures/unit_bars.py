"""Stacked bars: the kinds of units in each layer (METHOD eq. (3))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from slowfast_bias.bias import BiasReport, LayerBias
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.layer_axis import name_ticks, side_by_side, stages

_PAGE = 10.0  # inches


@style.styled()
def unit_bars(reports: Mapping[str, BiasReport]) -> Figure:
    """Returns one panel per model with a bar per layer: percent of its units by kind, dead too."""
    captions.check_reports(reports)
    widths = {name: panel_width(report) for name, report in reports.items()}
    rows = _rows(widths)
    width = max([3.4, *(sum(widths[name] + 0.12 for name in row) + 0.55 for row in rows)])
    figure = Figure(figsize=(width, 2.5 * len(rows) + 0.25), layout="constrained")
    bands = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for band, row in zip(bands, rows, strict=True):
        spare = width - 0.55 - sum(widths[name] + 0.12 for name in row) if len(rows) > 1 else 0.0
        _draw_row(band, {name: reports[name] for name in row}, widths, spare)
    kinds = present_kinds(reports.values())
    figure.legend(**style.kind_legend(kinds), loc="outside upper center")
    words = (captions.threshold_words(reports.values()), captions.pairs_words(reports.values()))
    captions.make_taller(figure, captions.write_caption(figure, reports, width, *words))
    return figure


def draw_bars(ax: Axes, report: BiasReport, inches: float) -> None:
    """Draws one report's layers as stacked bars into an axes about `inches` wide."""
    places, width = side_by_side(report.layers)
    shares = {layer: kind_shares(bias) for layer, bias in report.layers.items()}
    foot = dict.fromkeys(shares, 0.0)
    for kind in present_kinds([report]):
        heights = [share[kind] for share in shares.values()]
        look = style.patch_style(kind)
        bars = ax.bar(places.values(), heights, width, list(foot.values()), label=kind, **look)
        hide_empty(bars)
        foot = {layer: foot[layer] + shares[layer][kind] for layer in foot}
    ax.set(xlim=(-0.5, len(stages(shares)) - 0.5), ylim=(0, 100))
    name_ticks(ax, places.values(), places, inches)


def hide_empty(bars: Iterable[Rectangle]) -> None:
    """Hides segments without size, whose edge would be visible as a line."""
    for bar in bars:
        bar.set_visible(bar.get_width() * bar.get_height() != 0)


def kind_shares(layer: LayerBias) -> dict[str, float]:
    """Returns {kind: percent of all units of the layer, dead ones included}."""
    return {kind: 100 * len(units) / layer.channels for kind, units in layer.units().items()}


def present_kinds(reports: Iterable[BiasReport]) -> list[str]:
    """Returns the kinds from the bottom of a bar up; `dead` only if there is a dead unit."""
    dead = any(layer.units()["dead"] for report in reports for layer in report.layers.values())
    return [kind for kind in style.STACK if kind != "dead" or dead]


def panel_width(report: BiasReport) -> float:
    """Returns the width in inches of the bars of one report."""
    count = len(report.layers)
    return max((0.31 if count < 8 else 0.24) * count, 1.25)


def _rows(widths: Mapping[str, float]) -> list[list[str]]:
    """Returns the models row by row, none wider than a page."""
    rows: list[list[str]] = [[]]
    for name, width in widths.items():
        if rows[-1] and sum(widths[other] + 0.12 for other in rows[-1]) + width > _PAGE:
            rows.append([])
        rows[-1].append(name)
    return rows


def _draw_row(
    band: SubFigure, reports: Mapping[str, BiasReport], widths: Mapping[str, float], spare: float
) -> None:
    ratios = [widths[name] for name in reports]
    if spare > 0.3:  # a shorter row than others: its panels keep their scale
        ratios.append(spare)
    grid = band.add_gridspec(1, len(ratios), width_ratios=ratios)
    first = None
    for i, (name, report) in enumerate(reports.items()):
        ax = band.add_subplot(grid[i], sharey=first)
        style.guides(ax)
        draw_bars(ax, report, widths[name])
        ax.set_title(captions.wrap_name(name, int(widths[name] * 13), 3), fontsize=style.TEXT)
        if first is None:
            first = ax
            ax.set_ylabel("units (%)")
        else:
            ax.tick_params(labelleft=False)
