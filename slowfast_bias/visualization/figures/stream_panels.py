"""Two-stream networks: appearance, motion and fusion over the stages, a column per network."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above
from slowfast_bias.visualization.drawing.score_axis import dress_scores
from slowfast_bias.visualization.reading.headline import headline, reading, title_of

_LAYER = re.compile(r"(app|mot|fuse)(\d+)$")
_STREAMS = {"app": "appearance", "mot": "motion", "fuse": "fusion"}
_LOOKS = {
    "app": {"color": style.COLORS["static"], "marker": "s"},
    "mot": {"color": style.COLORS["dynamic"], "marker": "o"},
    "fuse": {"color": "black", "marker": "D"},
}
_INCHES, _TALL = 1.75, 1.45  # of a panel
_NEXT = 0.09  # stages between the streams, whose errors would cover each other


@style.styled()
def stream_panels(reports: Mapping[str, BiasReport], value: str = "score") -> Figure:
    """Returns a column per network and a row per score, with a line per stream.

    Args:
        reports: {network: report}, with layers app2, mot2, fuse2, ...; others are left out.
        value: "score", or "percent" (static and dynamic share).
    """
    captions.check_reports(reports)
    streams = {name: _by_stream(report) for name, report in reports.items()}
    if lacking := [name for name, found in streams.items() if not found]:
        raise RequestError(
            f"Expected layers app2, mot2, fuse2, ... in {lacking[0]}, but it has "
            f"{', '.join(reports[lacking[0]].layers)}. Draw it with slowfast_bias plot."
        )
    scores = headline(reports.values(), value)
    width = 0.9 + len(reports) * (_INCHES + 0.1)
    figure = Figure(figsize=(width, 0.5 + len(scores) * _TALL), layout="constrained")
    axes = figure.subplots(len(scores), len(reports), sharex="col", sharey="row", squeeze=False)
    for column, (name, report) in zip(axes.T, reports.items(), strict=True):
        for ax, score in zip(column, scores, strict=True):
            _draw(ax, report, streams[name], score, value)
        column[0].set_title(captions.wrap_name(name, 24, 3))
        column[-1].set_xlabel("stage")
    for row, score in zip(axes, scores, strict=True):
        if value == "score":
            dress_scores(row[0], (score,))
        unit = " share (%)" if value == "percent" else ""
        row[0].set_ylabel(title_of(score, value) + unit, color=style.INK.get(score, "black"))
    handles = style.line_handles({_STREAMS[key]: look for key, look in _LOOKS.items()})
    lines = 2 * legend_above(figure, handles, width)
    words = [captions.pairs_words(reports.values()), captions.error_words(reports.values())]
    lines += captions.write_caption(figure, reports, width, *words)
    captions.make_taller(figure, lines)
    return figure


def _by_stream(report: BiasReport) -> dict[str, dict[int, str]]:
    """Returns {stream: {stage: layer}}."""
    found: dict[str, dict[int, str]] = {}
    for layer in report.layers:
        if match := _LAYER.match(layer):
            found.setdefault(match[1], {})[int(match[2])] = layer
    return found


def _draw(
    ax: Axes, report: BiasReport, streams: Mapping[str, Mapping[int, str]], score: str, value: str
) -> None:
    style.guides(ax)
    read = reading(score, value)
    for place, (stream, layers) in enumerate(streams.items()):
        y, errors = zip(*(read(report[layer]) for layer in layers.values()), strict=True)
        ax.errorbar(
            [stage + _NEXT * (place - 1) for stage in layers], y,
            yerr=[0 if math.isnan(e) else e for e in errors],
            label=stream, elinewidth=0.8, capsize=1.5, mew=1.0, **_LOOKS[stream],
        )  # fmt: skip
    ax.set_xticks(sorted({stage for layers in streams.values() for stage in layers}))
