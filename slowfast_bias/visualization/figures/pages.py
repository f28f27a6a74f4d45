"""Whole figures: the page that a run writes, and a comparison of several models."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.layer_axis import (
    name_ticks,
    pathway,
    side_by_side,
    stage,
    stages,
)
from slowfast_bias.visualization.drawing.score_axis import dress_scores
from slowfast_bias.visualization.figures.layer_curves import (
    draw_curve,
    draw_panels,
    name_models,
)
from slowfast_bias.visualization.figures.unit_bars import (
    draw_bars,
    hide_empty,
    kind_shares,
    panel_width,
    present_kinds,
)
from slowfast_bias.visualization.reading.headline import LABELS, headline, reading, title_of


@style.styled()
def report_figure(report: BiasReport, references: Mapping[str, BiasReport] | None = None) -> Figure:
    """Returns the page of one report: scores, shares and kinds of units over the same layers.

    Args:
        report: of one network.
        references: {name: report} of networks to compare it with, thin lines among the scores.
    """
    captions.check_reports({"the report": report})
    inches = min(max(1.5 * panel_width(report), 3.6), 7.0)
    width = inches + 1.6
    figure = Figure(figsize=(width, 6.1), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(1.35, 0.9, 1.1))
    for ax, value in zip(panels, ("score", "percent"), strict=False):
        _draw_scores(ax, report, value, inches, (references or {}) if value == "score" else {})
    style.guides(panels[2])
    draw_bars(panels[2], report, inches)
    panels[2].set_ylabel("units (%)")
    _beside(panels[2], style.kind_handles(reversed(present_kinds([report]))))
    figure.align_ylabels()
    if title := _title(report):
        panels[0].set_title(captions.wrap_name(title, int(inches * 14)), loc="left")
    words = (
        captions.pairs_words([report]),
        captions.error_words([report]),
        captions.threshold_words([report]),
        captions.motion_words({"": report}),
    )
    captions.make_taller(figure, captions.write_caption(figure, {"": report}, width, *words))
    return figure


@style.styled()
def comparison_figure(reports: Mapping[str, BiasReport], value: str = "score") -> Figure:
    """Returns a comparison: S_static, motion-only, and the units of the last stage.

    Args:
        reports: {model: report}, in the order of the legend.
        value: "score" or "percent" (static and dynamic shares), for the curves.
    """
    captions.check_reports(reports)
    width, inches = 10.0, 2.65
    figure = Figure(figsize=(width, 3.0), layout="constrained")
    curves, units = figure.subfigures(1, 2, width_ratios=(2.05, 1))
    scores = headline(reports.values(), value)[:2]
    panels = curves.subplots(1, 2, sharey=value == "percent")
    draw_panels(panels, reports, scores, value, inches)
    rows = name_models(curves, reports, 0.66 * width)
    _draw_last(units, reports)
    words = (
        captions.pairs_words(reports.values()),
        captions.error_words(reports.values()),
        captions.threshold_words(reports.values()),
        captions.motion_words(reports) if "motion" in scores else "",
    )
    captions.make_taller(
        figure, 2 * (rows - 1) + captions.write_caption(figure, reports, width, *words)
    )
    return figure


def _draw_scores(
    ax: Axes,
    report: BiasReport,
    value: str,
    inches: float,
    references: Mapping[str, BiasReport],
) -> None:
    """Draws the headline's scores or the shares of one report, each above the bar of its layer."""
    style.guides(ax)
    places, _ = side_by_side(report.layers)
    scores = headline([report], value)
    looks = style.score_styles(scores)
    for name, other in references.items():
        shown = {layer: x for layer, x in other.layers.items() if layer in places}
        for score in scores:
            look = {**looks[score], **style.REFERENCE}
            thin = BiasReport(shown, other.meta)
            draw_curve(ax, f"{name}, {score}", thin, reading(score, value), places, **look)
    for score in scores:
        draw_curve(ax, score, report, reading(score, value), places, **looks[score])
    name_ticks(ax, places.values(), places, inches)
    ax.set(ylabel=LABELS[value], xlabel="")
    if value == "score":
        dress_scores(ax, scores)
    handles = style.line_handles({title_of(score, value): looks[score] for score in scores})
    handles += style.line_handles(
        {captions.wrap_name(name, 16): {**style.REFERENCE, "marker": "o"} for name in references}
    )
    if value == "score" and any(pathway(layer) is not None for layer in report.layers):
        handles += style.pathway_handles()
    _beside(ax, handles)
    ax.tick_params(labelbottom=False)


def _draw_last(panel: SubFigure, reports: Mapping[str, BiasReport]) -> None:
    """Draws a horizontal bar per model: the units of its last stage, with the shares as text."""
    last = {
        (name, layer): kind_shares(report[layer])
        for name, report in reports.items()
        for layer in report.layers
        if stage(layer) == stages(report.layers)[-1]
    }
    dead = any(shares["dead"] for shares in last.values())
    kinds = [kind for kind in style.STACK if kind != "dead" or dead]
    ax, foot = panel.subplots(), [0.0] * len(last)
    for kind in kinds:
        lengths = [shares[kind] for shares in last.values()]
        bars = ax.barh(range(len(last)), lengths, 0.72, foot, label=kind, **style.patch_style(kind))
        hide_empty(bars)
        texts = [f"{length:.0f}" if length >= 7 else "" for length in lengths]
        ink = "white" if kind in style.DARK else "black"
        ax.bar_label(bars, texts, label_type="center", color=ink, fontsize=style.SMALL)
        foot = [a + b for a, b in zip(foot, lengths, strict=True)]
    layers = {layer for _, layer in last}
    names = [name if len(layers) == 1 else f"{name}, {layer}" for name, layer in last]
    ax.set_yticks(range(len(last)), [captions.wrap_name(name, 18, 2) for name in names])
    spare = max(3.5 - len(last), 0) / 2
    ax.set_ylim(len(last) - 0.5 + spare, -0.5 - spare)  # the first model on top
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 100), xlabel="units (%)")
    where = f"units of {layers.pop()}" if len(layers) == 1 else "units of the last stage"
    panel.legend(
        **style.kind_legend(kinds), loc="outside upper center",
        title=where, title_fontproperties={"size": 9, "weight": "bold"},
    )  # fmt: skip


def _beside(ax: Axes, handles: list) -> None:
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def _title(report: BiasReport) -> str:
    words = (report.meta.get(key) for key in ("name", "model", "data"))
    return ", ".join(word for word in words if isinstance(word, str))
