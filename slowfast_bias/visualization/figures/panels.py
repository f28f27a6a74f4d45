"""Curves by design: 3D CNNs, SlowFast variants and transformers side by side, a row per score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import SLOWFAST, TRANSFORMER, is_reference
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_shape
from slowfast_bias.visualization.drawing.block_axis import BlockDepth, block_depths
from slowfast_bias.visualization.drawing.layer_axis import Depth, pathway, stages
from slowfast_bias.visualization.drawing.score_axis import draw_zero, dress_scores
from slowfast_bias.visualization.figures.layer_curves import draw_curve, model_looks
from slowfast_bias.visualization.reading.designs import TITLES, by_design, twins
from slowfast_bias.visualization.reading.headline import headline, reading, title_of

_INCHES = 2.85  # the width of a panel
_TALL = 1.55  # and its height
_LINE = 0.16  # the height of a row of a legend
_LINES = ("-", ":", "-.")  # of networks of one colour in a column
_MANY = 14  # layers, whose markers would touch


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
    looks = _looks(groups)
    width = 0.75 + len(groups) * (_INCHES + 0.12)
    figure = Figure(figsize=(width, 0.6 + len(scores) * _TALL), layout="constrained")
    axes = figure.subplots(len(scores), len(groups), sharex="col", sharey="row", squeeze=False)
    for column, members in zip(axes.T, groups.values(), strict=True):
        _draw_column(column, members, scores, value, looks)
    for row, score in zip(axes, scores, strict=True):
        _dress_row(row, score, value)
    room = _name_networks(axes[0], groups, looks)
    words = [captions.pairs_words(reports.values()), captions.error_words(reports.values())]
    words.append(captions.motion_words(reports) if "motion" in scores else "")
    words.append(_block_words(groups.get(TRANSFORMER, {})))
    lines = captions.write_caption(figure, reports, width, *filter(None, words))
    captions.make_taller(figure, lines)
    figure.set_figheight(figure.get_figheight() + room)
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
    for ax in column:
        depth.label_axis(ax, _INCHES)
        if ax is not column[-1]:
            ax.set_xlabel("")


def _dress_row(row: Sequence[Axes], score: str, value: str) -> None:
    """Names the score beside its row, whose panels share the y axis, and shows its zero in all."""
    if value == "score":
        dress_scores(row[0], (score,))
        for ax in row[1:]:
            draw_zero(ax)
    title = title_of(score, value, bold=True) + (" share (%)" if value == "percent" else "")
    row[0].set_ylabel(title, color=style.INK.get(score, "black"), fontweight="bold")


def _name_networks(
    row: Sequence[Axes],
    groups: Mapping[str, Mapping[str, BiasReport]],
    looks: Mapping[str, dict[str, Any]],
) -> float:
    """Writes each design and a legend of its networks above its column; returns their height."""
    handles = [_handles(design, members, looks) for design, members in groups.items()]
    shapes = [legend_shape(x, _INCHES) for x in handles]
    inches = max(rows for rows, _ in shapes) * _LINE + 0.3
    for ax, design, shown, (_, columns) in zip(row, groups, handles, shapes, strict=True):
        up = ScaledTranslation(0, inches, ax.figure.dpi_scale_trans)
        ax.legend(
            handles=shown, ncols=columns, loc="upper left", bbox_to_anchor=(0, 1),
            bbox_transform=ax.transAxes + up, alignment="left", borderpad=0, borderaxespad=0,
            title=TITLES[design], title_fontproperties={"size": 9, "weight": "bold"},
        )  # fmt: skip
    return inches


def _handles(
    design: str, reports: Mapping[str, BiasReport], looks: Mapping[str, dict[str, Any]]
) -> list[Line2D]:
    """Returns an entry per network, then one per pathway if there are pathways."""
    handles = style.line_handles({captions.wrap_name(x, 34, 1): looks[x] for x in reports})
    if not any(map(_has_pathways, reports.values())):
        return handles
    if design == SLOWFAST:
        return handles + style.pathway_handles(("slow pathway", "fast pathway"))
    return handles + style.pathway_handles()


def _looks(groups: Mapping[str, Mapping[str, BiasReport]]) -> dict[str, dict[str, Any]]:
    """Returns {network: colour, marker, ...}; an untrained network has its network's marker.

    Neighbours differ in colour, and so do those of one column while there are colours; then lines.
    """
    reports = {name: x for members in groups.values() for name, x in members.items()}
    looks = {name: dict(look) for name, look in model_looks(reports).items()}
    for members in groups.values():
        main = [name for name, report in members.items() if not is_reference(report)]
        for i, name in enumerate(main):
            round_ = i // len(style.MODEL_COLORS)
            looks[name] |= {"ls": _LINES[round_ % len(_LINES)]} if round_ else {}
        if max(len(stages(x.layers)) for x in members.values()) > _MANY:
            for name in members:
                looks[name].setdefault("ms", 3.0)
    for name, report in reports.items():
        if is_reference(report):
            looks[name] |= _of_twin(name, report, reports, looks)
    return looks


def _of_twin(
    name: str,
    report: BiasReport,
    reports: Mapping[str, BiasReport],
    looks: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    """Returns the marker of an untrained network, and its fill: white is for pathway 1."""
    same = [looks[other]["marker"] for other, x in reports.items() if twins(x, report)]
    marker = same[0] if len(same) == 1 else looks[name]["marker"]
    fill = {"mfc": looks[name]["color"]} if _has_pathways(report) else {}
    return {"marker": marker, **fill}


def _has_pathways(report: BiasReport) -> bool:
    return any(pathway(layer) is not None for layer in report.layers)


def _block_words(reports: Mapping[str, BiasReport]) -> str:
    """Returns how many blocks each network has if they share an axis of relative depth; or ""."""
    depth = BlockDepth.of(reports) if reports else None
    if depth is None or depth.last is not None:
        return ""
    counts = {
        captions.wrap_name(name, 34, 1): int(max(block_depths(x.layers).values())) + 1
        for name, x in reports.items()
        if not is_reference(x)
    }
    return f"Blocks: {', '.join(f'{count} in {name}' for name, count in counts.items())}."
