"""Bias over training: how much of a layer encodes each factor, epoch by epoch.

    figure = epoch_curves(read_epochs("results/slow"))
    figure = compare_epochs({"slow": read_epochs("results/slow"), "fast": read_epochs(...)})

Epochs count from 1; epoch 0, if there is one, is the untrained network.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

from iopath.common.file_io import g_pathmgr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slowfast_bias.bias import FACTORS, BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import banded_line, legend_above
from slowfast_bias.visualization.drawing.layer_axis import pathway, stage, stages
from slowfast_bias.visualization.figures.layer_curves import LABELS, reading
from slowfast_bias.visualization.reading.comparable import differences
from slowfast_bias.visualization.reading.report_files import find_layers, read_report, unknown_layer

Epochs = Mapping[int, BiasReport]
BANDS = "Bands: ± 1 standard error over videos."
_PANELS = 6  # in one row
_MARKERS = 12  # on one line, at most


def read_epochs(folder: str) -> dict[int, BiasReport]:
    """Returns {epoch: report} of a run: `folder` is its OUTPUT_DIR, or the `bias/` in it."""
    root = str(folder).rstrip("/")
    if not g_pathmgr.isdir(root):
        raise RequestError(
            f"Expected the folder of a run, but there is none at {folder}: give an OUTPUT_DIR."
        )
    runs = [root]
    if os.path.basename(root) == os.path.basename(Outputs(root).bias):
        runs.append(os.path.dirname(root) or ".")
    for run in runs:
        found = Outputs(run).list_epoch_reports()
        if found:
            return {epoch: read_report(path) for epoch, path in found.items()}
    raise RequestError(
        f"Expected bias/epoch_00001.json and so on in {folder}, but found none: train with "
        "BIAS.ENABLE True; a run measures every BIAS.PERIOD epochs."
    )


@style.styled()
def epoch_curves(
    reports: Epochs, layers: Sequence[str] | None = None, value: str = "percent"
) -> Figure:
    """Returns one panel per stage, both factors over the epochs; pathways share a panel.

    Args:
        reports: {epoch: report} of one run.
        layers: names (`s5` includes its pathways); if not given, all stages, or six evenly
            spread ones if there are more.
        value: "percent" (share of the layer) or "score" (S_F).
    """
    reports = check_epochs(reports)
    every = _common_layers(reports)
    panels = _chosen_stages(every, next(iter(reports.values())), layers)
    rows = math.ceil(len(panels) / _PANELS)
    columns = math.ceil(len(panels) / rows)
    width = max(0.65 + columns * 1.4, 3.2)
    figure = Figure(figsize=(width, 0.45 + 1.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, (name, members) in zip(axes.flat, panels.items(), strict=False):
        style.guides(ax)
        for factor in FACTORS:
            look = {"color": style.COLORS[factor], "marker": style.MARKERS[factor]}
            for layer in members:
                draw_epochs(ax, reports, layer, factor, value, f"{factor}|{layer}", **look)
        ax.set_title(captions.wrap_name(name, 17, 2))
    _dress(axes, {"": reports}, LABELS[value], len(panels))
    looks = {f: {"color": style.COLORS[f], "marker": style.MARKERS[f]} for f in FACTORS}
    handles = style.line_handles(looks)
    if any(pathway(layer) is not None for members in panels.values() for layer in members):
        handles += style.pathway_handles()
    lines = 2 * legend_above(figure, handles, width)
    left = len(stages(every)) - len(panels)
    words = [f"{len(panels)} of {len(panels) + left} layers are shown."] if left else []
    lines += _write_caption(figure, {"": reports}, width, *words)
    captions.make_taller(figure, lines)
    return figure


@style.styled()
def compare_epochs(
    runs: Mapping[str, Epochs], layer: str | None = None, value: str = "percent"
) -> Figure:
    """Returns one panel per factor with a line per run; `layer`, or each run's last stage.

    Args:
        runs: {run: {epoch: report}}, in the order of the legend.
        layer: a name that every run has.
        value: "percent" or "score".
    """
    if not runs:
        raise RequestError("Expected at least one run, but got none.")
    runs = {name: check_epochs(reports) for name, reports in runs.items()}
    shown = {name: _wanted(name, reports, layer) for name, reports in runs.items()}
    width, looks = 6.4, style.model_styles(runs)
    figure = Figure(figsize=(width, 2.3), layout="constrained")
    axes = figure.subplots(1, len(FACTORS), sharex=True, sharey=True, squeeze=False)
    for ax, factor in zip(axes.flat, FACTORS, strict=True):
        style.guides(ax)
        for name, reports in runs.items():
            for x in shown[name]:
                draw_epochs(ax, reports, x, factor, value, f"{name}|{x}", **looks[name])
        ax.set_title(factor, color=style.COLORS[factor], fontweight="bold")
    _dress(axes, runs, LABELS[value], len(FACTORS))
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


def check_epochs(reports: Epochs) -> dict[int, BiasReport]:
    """Returns reports in the order of epochs; RequestError if they are not {epoch: report}."""
    captions.check_reports(reports)
    odd = [key for key in reports if not isinstance(key, int) or key < 0]
    if odd:
        raise RequestError(
            f"Expected epochs 0, 1, 2, ... as the keys of the reports, but got {odd[0]!r}."
        )
    return {epoch: reports[epoch] for epoch in sorted(reports)}


def _common_layers(reports: Epochs) -> list[str]:
    """Returns the layers, which must be the same in every epoch."""
    first, *others = reports
    layers = list(reports[first].layers)
    for other in others:
        if list(reports[other].layers) != layers:
            raise RequestError(
                f"Expected the same layers in every epoch, but epoch {first} has "
                f"{', '.join(layers)} and epoch {other} {', '.join(reports[other].layers)}: give "
                "the epochs of one run, measured with one BIAS.LAYERS."
            )
    return layers


def _chosen_stages(
    every: Sequence[str], report: BiasReport, wanted: Sequence[str] | None
) -> dict[str, list[str]]:
    """Returns {panel: its layers}, in network order."""
    if wanted is None:
        order = stages(every)
        count = min(len(order), _PANELS)
        picks = {round(i * (len(order) - 1) / max(count - 1, 1)) for i in range(count)}
        names = {order[i] for i in picks}
        chosen = [layer for layer in every if stage(layer) in names]
    else:
        for name in wanted:
            if not find_layers(report, name):
                raise unknown_layer(name, every)
        meant = {layer for name in wanted for layer in find_layers(report, name)}
        chosen = [layer for layer in every if layer in meant]
    if not chosen:
        raise RequestError(f"Expected at least one layer, but got none: it has {', '.join(every)}.")
    members: dict[str, list[str]] = {}
    for layer in chosen:
        members.setdefault(stage(layer), []).append(layer)
    return members


def _wanted(name: str, reports: Epochs, layer: str | None) -> list[str]:
    every = _common_layers(reports)
    if layer is None:
        return [x for x in every if stage(x) == stages(every)[-1]]
    found = find_layers(next(iter(reports.values())), layer)
    if not found:
        raise RequestError(f"{name}: {unknown_layer(layer, every)}")
    return found


def _dress(axes, runs: Mapping[str, Epochs], label: str, panels: int) -> None:  # noqa: ANN001
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
        if i + columns >= panels:  # nothing below it
            ax.set_xlabel("epoch")
            ax.tick_params(labelbottom=True)
        if i % columns == 0:
            ax.set_ylabel(label)


def _write_caption(figure: Figure, runs: Mapping[str, Epochs], inches: float, *words: str) -> int:
    every = [report for reports in runs.values() for report in reports.values()]
    untrained = ["Epoch 0: untrained."] if any(0 in reports for reports in runs.values()) else []
    words = (*words, captions.pairs_words(every), BANDS, *untrained)
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
