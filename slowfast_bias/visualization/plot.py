"""A figure of one kind from report files: what ``tools/plot_bias.py`` calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.curves import layer_curves
from slowfast_bias.visualization.figures import comparison_figure, report_figure
from slowfast_bias.visualization.reading import find_layer, read_reports
from slowfast_bias.visualization.save import check_suffix, save_figure
from slowfast_bias.visualization.scatter import unit_scatter
from slowfast_bias.visualization.units import unit_bars

KINDS = ("curves", "units", "scatter", "page")


def plot_reports(
    paths: Sequence[str],
    out: str,
    kind: str = "page",
    layer: str | None = None,
    value: str = "percent",
    names: Sequence[str] | None = None,
) -> None:
    """Read the reports and write the figure to `out`.

    Args:
        paths: report JSONs.
        out: png, pdf or svg.
        kind: one of KINDS; a page of several reports is their comparison.
        layer: for "scatter"; the last layer where not given.
        value: "percent" or "score", for curves.
        names: one per report, see `read_reports`.
    """
    check_suffix(out)
    save_figure(make_figure(read_reports(paths, names), kind, layer, value), out)


def make_figure(
    reports: Mapping[str, BiasReport], kind: str, layer: str | None, value: str
) -> Figure:
    """Return the figure of that kind."""
    if layer is not None and kind != "scatter":
        raise ValueError(f"Expected a layer only for the kind scatter, but got {kind!r}: drop it.")
    if kind == "curves":
        return layer_curves(reports, value=value)
    if kind == "units":
        return unit_bars(reports)
    if kind == "page" and len(reports) > 1:
        return comparison_figure(reports, value)
    if len(reports) > 1:
        raise ValueError(
            f"Expected one report for the kind {kind}, but got {len(reports)}: one at a time."
        )
    report = next(iter(reports.values()))
    if kind == "page":
        return report_figure(report)
    return unit_scatter(report, find_layer(report, layer or list(report.layers)[-1]))
