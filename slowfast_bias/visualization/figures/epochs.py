"""Bias over training: the scores of each layer, epoch by epoch; motion-only on its own axis.

    figure = epoch_curves(read_epochs("results/slow"))
    figure = compare_epochs({"slow": read_epochs("results/slow"), "fast": read_epochs(...)})

Epochs count from 1; epoch 0, if there is one, is the untrained network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import banded_line, legend_above
from slowfast_bias.visualization.drawing.layer_axis import pathway, stage, stages
from slowfast_bias.visualization.drawing.score_axis import dress_scores
from slowfast_bias.visualization.reading.comparable import differences
from slowfast_bias.visualization.reading.epoch_files import (
    Epochs,
    check_epochs,
    chosen_stages,
    common_layers,
    wanted_layers,
)
from slowfast_bias.visualization.reading.headline import LABELS, headline, reading, title_of

_PANELS = 6  # in one row
_MARKERS = 12  # on one line, at most


@style.styled()
def epoch_curves(
    reports: Epochs, layers: Sequence[str] | None = None, value: str = "score"
) -> Figure:
    """Returns a column per stage, its scores over the epochs; pathways share a panel.

    Motion-only has a panel of its own below, because it is small beside the others.

    Args:
        reports: {epoch: report} of one run.
        layers: names (`s5` includes its pathways); if not given, all stages, or six evenly
            spread ones if there are more.
        value: "score", or "percent" (static and dynamic share of the layer).
    """
    reports = check_epochs(reports)
    every = common_layers(reports)
    columns_of = chosen_stages(every, next(iter(reports.values())), layers, _PANELS)
    lanes = _lanes(headline(reports.values(), value))
    rows = math.ceil(len(columns_of) / _PANELS)
    columns = math.ceil(len(columns_of) / rows)
    width = max(0.65 + columns * 1.4, 3.2)
    height = 0.45 + (1.6 if len(lanes) == 1 else 2.9) * rows
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows * len(lanes), columns, sharex=True, squeeze=False)
    for i, lane in enumerate(lanes):
        own = axes[i :: len(lanes)]
        for ax, (name, members) in zip(own.flat, columns_of.items(), strict=False):
            _draw_lane(ax, reports, members, lane, value)
            if i == 0:
                ax.set_title(captions.wrap_name(name, 17, 2))
        _share_y(own, lane, value, len(columns_of))
        label = title_of(lane[0]) if len(lane) == 1 else LABELS[value]
        _dress(own, {"": reports}, label, len(columns_of), lane is lanes[-1])
    scores = [score for lane in lanes for score in lane]
    looks = style.score_styles(scores)
    handles = style.line_handles({title_of(x, value): looks[x] for x in scores})
    if any(pathway(layer) is not None for members in columns_of.values() for layer in members):
        handles += style.pathway_handles()
    lines = 2 * legend_above(figure, handles, width)
    left = len(stages(every)) - len(columns_of)
    words = [f"{len(columns_of)} of {len(columns_of) + left} layers are shown."] if left else []
    lines += _write_caption(figure, {"": reports}, width, *words)
    captions.make_taller(figure, lines)
    return figure


def _lanes(scores: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Returns which scores share a panel: motion-only has its own, if it is there."""
    others = tuple(score for score in scores if score != "motion")
    return [others] if others == scores else [others, ("motion",)]


def _draw_lane(
    ax: Axes, reports: Epochs, members: Sequence[str], lane: Sequence[str], value: str
) -> None:
    style.guides(ax)
    for score, look in style.score_styles(lane).items():
        for layer in members:
            draw_epochs(ax, reports, layer, score, value, f"{score}|{layer}", **look)


def _share_y(axes, lane: tuple[str, ...], value: str, panels: int) -> None:  # noqa: ANN001
    """Gives all panels of a lane the same y axis, with its numbers at the left."""
    shown = list(axes.flat)[:panels]
    spans = [ax.get_ylim() for ax in shown]
    for ax in shown:
        ax.set_ylim(min(low for low, _ in spans), max(high for _, high in spans))
        if value == "score":
            dress_scores(ax, lane)
    for ax in axes[:, 1:].flat:
        ax.tick_params(labelleft=False)


@style.styled()
def compare_epochs(
    runs: Mapping[str, Epochs], layer: str | None = None, value: str = "score"
) -> Figure:
    """Returns one panel per score with a line per run; `layer`, or each run's last stage.

    Args:
        runs: {run: {epoch: report}}, in the order of the legend.
        layer: a name that every run has.
        value: "score" (each panel with its own axis) or "percent".
    """
    if not runs:
        raise RequestError("Expected at least one run, but got none.")
    runs = {name: check_epochs(reports) for name, reports in runs.items()}
    shown = {name: wanted_layers(name, reports, layer) for name, reports in runs.items()}
    scores = headline((x for reports in runs.values() for x in reports.values()), value)
    width, looks = 0.4 + 3.0 * len(scores), style.model_styles(runs)
    figure = Figure(figsize=(width, 2.3), layout="constrained")
    axes = figure.subplots(1, len(scores), sharex=True, sharey=value == "percent", squeeze=False)
    for ax, score in zip(axes.flat, scores, strict=True):
        style.guides(ax)
        for name, reports in runs.items():
            for x in shown[name]:
                draw_epochs(ax, reports, x, score, value, f"{name}|{x}", **looks[name])
        ax.set_title(title_of(score, value, bold=True), color=style.INK[score], fontweight="bold")
        if value == "score":
            dress_scores(ax, (score,))
    _dress(axes, runs, LABELS[value], len(scores))
    handles = style.line_handles({captions.wrap_name(n, 60, 1): s for n, s in looks.items()})
    if any(pathway(x) is not None for members in shown.values() for x in members):
        handles += style.pathway_handles()
    lines = 2 * legend_above(figure, handles, width)
    names = dict.fromkeys(stage(x) for members in shown.values() for x in members)
    where = f"Layer: {next(iter(names))}." if len(names) == 1 else "The last stage of each run."
    captions.make_taller(figure, lines + _write_caption(figure, runs, width, where))
    return figure


def draw_epochs(
    ax: Axes, reports: Epochs, layer: str, factor: str, value: str, gid: str, **look: str
) -> None:
    """Draws one factor of one layer over the epochs; a second pathway is dashed."""
    read = reading(factor, value)
    y, errors = zip(*(read(report[layer]) for report in reports.values()), strict=True)
    low, high = ([a + k * e for a, e in zip(y, errors, strict=True)] for k in (-1, 1))
    dashed = (pathway(layer) or 0) % 2 == 1
    marks = {"mfc": "white" if dashed else look["color"], "ls": "--" if dashed else "-"}
    marks["markevery"] = math.ceil(len(reports) / _MARKERS)
    banded_line(ax, list(reports), y, low, high, gid, ms=3.2, **marks, **look)


def _dress(  # noqa: ANN202
    axes,  # noqa: ANN001
    runs: Mapping[str, Epochs],
    label: str,
    panels: int,
    lowest: bool = True,
):
    """Labels the axes, with whole epochs at the ticks; hides panels that show nothing."""
    epochs = sorted({epoch for reports in runs.values() for epoch in reports})
    margin = max(0.04 * (epochs[-1] - epochs[0]), 0.3)
    columns = axes.shape[1]
    for i, ax in enumerate(axes.flat):
        ax.set_visible(i < panels)
        ax.set_xlim(epochs[0] - margin, epochs[-1] + margin)
        if len(epochs) == 1:
            ax.set_xticks(epochs)
        else:
            ax.xaxis.set_major_locator(
                MaxNLocator(5, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
            )
        if lowest and i + columns >= panels:  # nothing below it
            ax.set_xlabel("epoch")
            ax.tick_params(labelbottom=True)
        if i % columns == 0:
            ax.set_ylabel(label)


def _write_caption(figure: Figure, runs: Mapping[str, Epochs], inches: float, *words: str) -> int:
    every = [report for reports in runs.values() for report in reports.values()]
    untrained = ["Epoch 0: untrained."] if any(0 in reports for reports in runs.values()) else []
    words = (*words, captions.pairs_words(every), captions.error_words(every, "Bands"), *untrained)
    speakers = {name: _speaker(reports) for name, reports in runs.items()}
    return captions.write_caption(figure, speakers, inches, *words)


def _speaker(reports: Epochs) -> BiasReport:
    """Returns the last report with the warnings of all epochs, each warning once."""
    counts: dict[str, int] = {}
    for report in reports.values():
        for note in report.warnings:
            counts[note] = counts.get(note, 0) + 1
    warnings = [
        note if n == len(reports) else f"{note} (in {n} of {len(reports)} epochs)"
        for note, n in counts.items()
    ]
    if settings := differences({f"epoch {epoch}": x for epoch, x in reports.items()}):
        warnings.insert(0, f"not comparable: the epochs differ in {', '.join(settings)}")
    last = list(reports.values())[-1]
    return BiasReport(last.layers, {**last.meta, "warnings": warnings})
