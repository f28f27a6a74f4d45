"""Networks by kind, as the paper's Fig. 3: a column for 3D CNNs, for SlowFast, for transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_grid
from slowfast_bias.visualization.drawing.block_axis import BlockAxis
from slowfast_bias.visualization.drawing.layer_axis import Depth, pathway
from slowfast_bias.visualization.drawing.score_axis import dress_scores
from slowfast_bias.visualization.figures.layer_curves import draw_curve, model_looks
from slowfast_bias.visualization.reading.groups import GROUPS, grouped
from slowfast_bias.visualization.reading.headline import headline, reading, title_of

_WIDTH, _ROW = 3.2, 1.55  # inches of a column, and of a row
_TRANSFORMERS = GROUPS[2]


@style.styled()
def group_panels(reports: Mapping[str, BiasReport], value: str = "score") -> Figure:
    """Returns a column per kind of network and a row per score, a curve per model.

    Scores of a row share their axis. Transformers are drawn over the number of a block, others over
    stages. Columns without a network are left out.

    Args:
        reports: {model: report}, in the order of the legends.
        value: "score", or "percent" (static and dynamic share of a layer).
    """
    captions.check_reports(reports)
    groups, scores = grouped(reports), headline(reports.values(), value)
    width = 0.35 + _WIDTH * len(groups)
    figure = Figure(figsize=(width, 0.75 + _ROW * len(scores)), layout="constrained")
    grid = figure.subplots(len(scores), len(groups), sharex="col", sharey="row", squeeze=False)
    rows = 0
    for axes, (group, members) in zip(grid.T, groups.items(), strict=True):
        _draw_column(axes, members, scores, value, blocks=group == _TRANSFORMERS)
        rows = max(rows, _name_column(axes[0], group, members))
    _name_rows(grid, scores, value)
    figure.align_ylabels()
    words = (captions.pairs_words(reports.values()), captions.error_words(reports.values()))
    words += (captions.motion_words(reports),) if "motion" in scores else ()
    captions.make_taller(figure, 2 * rows + captions.write_caption(figure, reports, width, *words))
    return figure


def _draw_column(
    axes: Sequence[Axes],
    reports: Mapping[str, BiasReport],
    scores: Sequence[str],
    value: str,
    blocks: bool,
) -> None:
    axis, looks = BlockAxis.of(reports) if blocks else Depth.of(reports), model_looks(reports)
    apart = axis.after if blocks else ()
    for ax, score in zip(axes, scores, strict=True):
        style.guides(ax)
        for name, report in reports.items():
            look = {"ms": 3.0, **looks[name]} if blocks else looks[name]
            draw_curve(
                ax, name, report, reading(score, value), axis.positions(report), apart, **look
            )
    axis.label_axis(axes[-1]) if blocks else axis.label_axis(axes[-1], _WIDTH - 0.6)


def _name_column(ax: Axes, group: str, reports: Mapping[str, BiasReport]) -> int:
    """Writes the group and the legend of its models above a column; returns the row count."""
    names = {captions.wrap_name(n, 36, 1): look for n, look in model_looks(reports).items()}
    handles = style.line_handles(names)
    if any(pathway(layer) is not None for report in reports.values() for layer in report.layers):
        handles += style.pathway_handles()
    columns, rows = legend_grid(handles, _WIDTH - 0.3)
    ax.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.15), ncols=columns,
        borderaxespad=0,
    )  # fmt: skip
    ax.set_title(group, fontweight="bold")
    return rows


def _name_rows(grid: Sequence[Sequence[Axes]], scores: Sequence[str], value: str) -> None:
    """Names each row at its left, and dresses its panels, which share their range."""
    for row, score in zip(grid, scores, strict=True):
        for ax in row if value == "score" else ():
            dress_scores(ax, (score,))
        words = title_of(score, value)
        row[0].set_ylabel(
            f"{words} (% of the layer)" if value == "percent" else words,
            color=style.INK.get(score, "black"),
        )
