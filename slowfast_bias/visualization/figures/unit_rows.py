"""Kinds of units of one layer, a row per network, with published shares below ours if known."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.figures.unit_bars import hide_empty, kind_shares

Shares = Mapping[str, float]  # {kind: percent}
_WIDTH, _ROW = 5.6, 0.27  # inches
_PALE = 0.45  # opacity of what is published


@style.styled()
def unit_rows(
    reports: Mapping[str, BiasReport], layer: str, published: Mapping[str, Shares] | None = None
) -> Figure:
    """Returns stacked bars that lie: percent of the units of `layer` by kind, for each network.

    Args:
        reports: {network: report}, the first on top; all have the layer.
        layer: its name.
        published: {network: shares that are published}, pale, below ours.
    """
    captions.check_reports(reports)
    rows: list[tuple[str, Shares, float]] = []
    for name, report in reports.items():
        rows.append((captions.wrap_name(name, 32, 1), kind_shares(report[layer]), 1.0))
        if known := (published or {}).get(name):
            rows.append(("published", known, _PALE))
    figure = Figure(figsize=(_WIDTH, 0.85 + _ROW * len(rows)), layout="constrained")
    ax = figure.subplots()
    kinds = [x for x in style.STACK if x != "dead" or any(row[1].get(x) for row in rows)]
    for place, (_, shares, opacity) in enumerate(rows):
        _draw(ax, place, shares, kinds, opacity)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5), xlabel=f"units of {layer} (%)")
    figure.legend(**style.kind_legend(kinds), loc="outside upper center")
    words = (captions.threshold_words(reports.values()), captions.pairs_words(reports.values()))
    captions.make_taller(figure, captions.write_caption(figure, reports, _WIDTH, *words))
    return figure


def _draw(ax: Axes, place: int, shares: Shares, kinds: list[str], opacity: float) -> None:
    foot = 0.0
    for kind in kinds:
        length = shares.get(kind, 0.0)
        look = style.patch_style(kind)
        bar = ax.barh([place], [length], 0.78, [foot], label=kind, **{**look, "alpha": opacity})
        hide_empty(bar)
        ink = "white" if kind in style.DARK and opacity == 1 else "black"
        text = f"{length:.0f}" if length >= 6 else ""
        ax.bar_label(bar, [text], label_type="center", color=ink, fontsize=style.SMALL)
        foot += length
