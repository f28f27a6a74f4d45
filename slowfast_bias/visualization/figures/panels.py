"""Curves by design: 3D CNNs, SlowFast variants and transformers side by side, a row per score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import SLOWFAST, TRANSFORMER, is_reference
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_shape
from slowfast_bias.visualization.drawing.block_axis import BlockDepth, block_depths
from slowfast_bias.visualization.drawing.layer_axis import Depth, pathway
from slowfast_bias.visualization.drawing.score_axis import draw_zero, dress_scores
from slowfast_bias.visualization.figures.layer_curves import draw_curve, model_looks
from slowfast_bias.visualization.reading.designs import TITLES, by_design, twins
from slowfast_bias.visualization.reading.headline import headline, reading, title_of

_INCHES = 2.85  # the width of a panel
_TALL = 1.55  # and its height
_LINE = 0.155  # the height of a row of a legend


@style.styled()
def design_panels(reports: Mapping[str, BiasReport], value: str = "score") -> Figure:
    """Returns a column per design of networks (those that there are), and in it a row per score.

    CNNs are drawn over their stages, transformers over their blocks; a row has one y axis.

    Args:
        reports: {network: report}, in the order of the legends.
        value: "score" (S_static, motion-only, content), or "percent" (static and dynamic share).
    """
    captions.check_reports(reports)
    groups, scores = by_design(reports), headline(reports.values(), value)
    looks = _looks({name: x for members in groups.values() for name, x in members.items()})
    width = 0.75 + len(groups) * (_INCHES + 0.12)
    figure = Figure(figsize=(width, 0.6 + len(scores) * _TALL), layout="constrained")
    axes = figure.subplots(
        len(scores), len(groups), sharex="col", sharey="row", squeeze=False
    )
    rows = []
    for column, (design, members) in zip(axes.T, groups.items(), strict=True):
        _draw_column(column, members, scores, value, looks)
        rows.append(_name_networks(column[0], design, members, looks))
    for row, score in zip(axes, scores, strict=True):
        _dress_row(row, score, value)
    words = (captions.pairs_words(reports.values()), captions.error_words(reports.values()))
    words += (captions.motion_words(reports) if "motion" in scores else "",)
    words += (_block_words(groups.get(TRANSFORMER, {})),)
    lines = captions.write_caption(figure, reports, width, *words)
    captions.make_taller(figure, lines)
    figure.set_figheight(figure.get_figheight() + max(rows) * _LINE)
    return figure


def _draw_column(
    column: Sequence[Axes],
    reports: Mapping[str, BiasReport],
    scores: Sequence[str],
    value: str,
    looks: Mapping[str, Mapping[str, Any]],
) -> None:
    """Draws every network of one design, a score in each of the axes, the layers named below."""
    depth = BlockDepth.of(reports) or Depth.of(reports)
    for ax, score in zip(column, scores, strict=True):
        style.guides(ax)
        for name, report in reports.items():
            read, places = reading(score, value), depth.positions(report)
            draw_curve(ax, name, report, read, places, **looks[name])
    depth.label_axis(column[-1], _INCHES)
    for ax in column[:-1]:
        ax.tick_params(axis="x", length=0)


def _dress_row(row: Sequence[Axes], score: str, value: str) -> None:
    """Names the score beside its row, whose panels share the y axis, and shows its zero in all."""
    if value == "score":
        dress_scores(row[0], (score,))
        for ax in row[1:]:
            draw_zero(ax)
    title = title_of(score, value, bold=True) + (" (% of the layer)" if value == "percent" else "")
    row[0].set_ylabel(title, color=style.INK.get(score, "black"), fontweight="bold")


def _name_networks(
    ax: Axes, design: str, reports: Mapping[str, BiasReport], looks: Mapping[str, dict[str, Any]]
) -> int:
    """Writes the design and the legend of its networks above a column; returns its row count."""
    handles = style.line_handles({captions.wrap_name(x, 34, 1): looks[x] for x in reports})
    if any(pathway(layer) is not None for report in reports.values() for layer in report.layers):
        slow_fast = ("slow pathway (/0)", "fast pathway (/1)")
        handles += style.pathway_handles(slow_fast) if design == SLOWFAST else style.pathway_handles()
    rows, columns = legend_shape(handles, _INCHES)
    ax.legend(
        handles=handles, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1.0),
        title=TITLES[design], title_fontproperties={"size": 9, "weight": "bold"},
        alignment="left", borderpad=0, borderaxespad=0.6,
    )  # fmt: skip
    return rows


def _looks(reports: Mapping[str, BiasReport]) -> dict[str, dict[str, Any]]:
    """Returns {network: colour, marker, ...}; an untrained network has its network's marker.

    Neighbours in `reports` differ in colour, so that those of one column do.
    """
    looks = model_looks(reports)
    for name, report in reports.items():
        if not is_reference(report):
            continue
        same = [looks[other]["marker"] for other, x in reports.items() if twins(x, report)]
        looks[name]["marker"] = same[0] if len(same) == 1 else looks[name]["marker"]
        if any(pathway(layer) is not None for layer in report.layers):
            looks[name]["mfc"] = looks[name]["color"]  # white is for pathway 1
    return looks


def _block_words(reports: Mapping[str, BiasReport]) -> str:
    """Returns how many blocks each network has if they share an axis of relative depth; or ""."""
    depth = BlockDepth.of(reports) if reports else None
    if depth is None or depth.last:
        return ""
    counts = {name: int(max(block_depths(x.layers).values())) + 1 for name, x in reports.items()}
    return f"Blocks: {', '.join(f'{captions.wrap_name(n, 34, 1)} {x}' for n, x in counts.items())}."
