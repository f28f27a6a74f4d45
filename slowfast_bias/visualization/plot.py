"""Figures from files, as `slowfast_bias plot` draws them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.moving_pictures import is_moving
from slowfast_bias.visualization.drawing.save import check_suffix, save_figure
from slowfast_bias.visualization.figures import battery, frame_orders, mask_battery, silencing
from slowfast_bias.visualization.figures.epochs import compare_epochs, epoch_curves
from slowfast_bias.visualization.figures.layer_curves import layer_curves
from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure
from slowfast_bias.visualization.figures.panels import design_panels
from slowfast_bias.visualization.figures.top_clips import top_clips_figure
from slowfast_bias.visualization.figures.unit_bars import unit_bars
from slowfast_bias.visualization.figures.unit_scatter import unit_scatter
from slowfast_bias.visualization.maximised import plot_maximised
from slowfast_bias.visualization.reading.epoch_files import read_epochs
from slowfast_bias.visualization.reading.mask_answers import is_of_masks
from slowfast_bias.visualization.reading.report_files import find_layer, read_reports
from slowfast_bias.visualization.reading.result_files import name_runs, read_results
from slowfast_bias.visualization.reading.top_clips import read_frames_of, read_top_clips

KINDS = ("curves", "units", "scatter", "page", "panels")
SOURCES = {  # kind of file -> its options
    "reports": ("kind", "layer", "value", "axes"),
    "over_epochs": ("layer", "value"),
    "ablation": (),
    "orders": (),
    "battery": (),
    "top_clips": ("layer",),
    "maximised": ("layer", "units"),
}


def plot_files(
    sources: Mapping[str, Sequence[str] | None],
    out: str,
    names: Sequence[str] | None = None,
    **options: Any,
) -> None:
    """Reads the files and writes their figure to `out`.

    Args:
        sources: {one of SOURCES: paths}; exactly one has paths.
        out: a png, pdf or svg file; of one maximised unit also gif, webp or mp4.
        names: one per path, else those of the reports or of the runs' folders.
        options: of SOURCES, None if not given.
    """
    if not (is_moving(out) and sources.get("maximised")):
        check_suffix(out)
    given = [source for source, paths in sources.items() if paths]
    if len(given) != 1:
        flags = ", ".join(map(_flag, SOURCES))
        got = " and ".join(map(_flag, given)) or "none"
        raise RequestError(f"Expected exactly one of {flags}, but got {got}.")
    options = {key: value for key, value in options.items() if value is not None}
    for key in options:
        if key not in SOURCES[given[0]]:
            raise RequestError(f"Expected no --{key} with {_flag(given[0])}: remove it.")
    writers = {"reports": plot_reports, "over_epochs": plot_epochs}
    writers |= {"ablation": plot_ablation, "orders": plot_orders}
    writers |= {"battery": plot_battery, "top_clips": plot_top_clips}
    writers |= {"maximised": plot_units}
    writers[given[0]](sources[given[0]], out, names=names, **options)


def plot_reports(
    paths: Sequence[str],
    out: str,
    kind: str = "page",
    layer: str | None = None,
    value: str = "score",
    axes: str | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Reads the reports and writes the figure to `out`.

    Args:
        paths: report JSONs.
        out: a png, pdf or svg file.
        kind: one of KINDS; a page of several reports is their comparison, panels group
            them by design.
        layer: for "scatter"; the last layer if not given.
        value: "score" or "percent", for curves, pages and panels.
        axes: of a scatter, see `unit_scatter`.
        names: one per report, see `read_reports`.
    """
    check_suffix(out)
    save_figure(make_figure(read_reports(paths, names), kind, layer, value, axes), out)


def make_figure(
    reports: Mapping[str, BiasReport],
    kind: str,
    layer: str | None,
    value: str,
    axes: str | None = None,
) -> Figure:
    """Returns the figure of that kind."""
    for what, given in (("a layer", layer), ("axes", axes)):
        if given is not None and kind != "scatter":
            raise RequestError(
                f"Expected {what} only for the kind scatter, but got {kind!r}: remove it."
            )
    if kind == "curves":
        return layer_curves(reports, value=value)
    if kind == "panels":
        return design_panels(reports, value)
    if kind == "units":
        return unit_bars(reports)
    if kind == "page" and len(reports) > 1:
        return comparison_figure(reports, value)
    if len(reports) > 1:
        raise RequestError(
            f"Expected one report for the kind {kind}, but got {len(reports)}: give one at a time."
        )
    report = next(iter(reports.values()))
    if kind == "page":
        return report_figure(report)
    return unit_scatter(report, find_layer(report, layer or list(report.layers)[-1]), axes)


def plot_epochs(
    folders: Sequence[str],
    out: str,
    layer: str | None = None,
    value: str = "score",
    names: Sequence[str] | None = None,
) -> None:
    """Writes bias over training to `out`: all stages of one run, or one stage of several."""
    files = [f"{folder.rstrip('/')}/bias" for folder in folders]  # a run's name is its folder's
    runs = name_runs(files, names)
    reports = [read_epochs(folder) for folder in folders]
    if len(runs) == 1:
        save_figure(epoch_curves(reports[0], [layer] if layer else None, value), out)
    else:
        save_figure(compare_epochs(dict(zip(runs, reports, strict=True)), layer, value), out)


def plot_ablation(paths: Sequence[str], out: str, names: Sequence[str] | None = None) -> None:
    """Writes the accuracy over silenced units to `out`, a panel per run."""
    contents = read_results(paths, silencing.KIND, names)
    one = len(contents) == 1 and not names
    figure = silencing.ablation_figure(*contents.values()) if one else None
    save_figure(figure or silencing.compare_ablations(contents), out)


def plot_orders(paths: Sequence[str], out: str, names: Sequence[str] | None = None) -> None:
    """Writes the accuracies with frames in and out of order to `out`, a group of bars per run."""
    save_figure(frame_orders.order_bars(read_results(paths, frame_orders.KIND, names)), out)


def plot_battery(paths: Sequence[str], out: str, names: Sequence[str] | None = None) -> None:
    """Writes the battery of changed clips, or of masks, to `out`, a colour per run."""
    contents = read_results(paths, battery.KIND, names)
    masks = [name for name, data in contents.items() if is_of_masks(data)]
    if 0 < len(masks) < len(contents):
        raise RequestError(
            f"Expected batteries of one task, but {', '.join(masks)} is of masks and others are of "
            "classes: plot them apart."
        )
    draw = mask_battery.compare_mask_batteries if masks else battery.compare_batteries
    save_figure(draw(contents), out)


def plot_top_clips(
    paths: Sequence[str],
    out: str,
    layer: str | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Writes the clips that drive the units of a layer most and least to `out`."""
    if names:
        raise RequestError("Expected no --names with --top-clips: remove it.")
    (path,) = paths
    content = read_top_clips(path)
    frames = functools.partial(read_frames_of, path, content)
    save_figure(top_clips_figure(content, frames, layer), out)


def plot_units(
    paths: Sequence[str],
    out: str,
    layer: str | None = None,
    units: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Writes the clips that were made for units to `out`."""
    if names:
        raise RequestError("Expected no --names with --maximised: remove it.")
    (path,) = paths
    plot_maximised(path, out, units, layer)


def _flag(source: str) -> str:
    return "REPORT" if source == "reports" else f"--{source.replace('_', '-')}"
