"""The battery of masks: what is left without image or flow, and which of the two masks follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias.origin import ORIGIN, origin_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above
from slowfast_bias.visualization.reading.mask_answers import SWAPS, headline, said
from slowfast_bias.visualization.reading.result_files import number, span

Content = Mapping[str, Any]
Place = tuple[float, float]
_CUES = {  # which object -> its legend, its look
    "flow": ("the flow's object", {"color": style.COLORS["dynamic"], "marker": "o"}),
    "image": ("the image's object", {"color": style.COLORS["static"], "marker": "s"}),
}
_ONE = {"color": style.GREY, "marker": "D"}
_CONFLICT = "own"
_ROW, _WIDTH = 0.24, 4.8  # inches
_ORIGIN = [key for key in ORIGIN if key not in ("seed", "videos", "recordings")]


def mask_battery_figure(data: Content) -> Figure:
    """Returns the figure of one run's `bias/battery.json`."""
    return compare_mask_batteries({"": data})


@style.styled()
def compare_mask_batteries(runs: Mapping[str, Content]) -> Figure:
    """Returns a row per variant: J with its interval; below, which object masks follow.

    Args:
        runs: {run: content of its `bias/battery.json`}, all of masks and of one measure.
    """
    measures = dict.fromkeys(str(data.get("measure")) for data in runs.values())
    if len(measures) != 1:
        raise RequestError(f"Expected one measure of masks, but got {' and '.join(measures)}.")
    rows = _rows(runs)
    swaps = [x for x in (*SWAPS, _CONFLICT) if any(_follows(d, x) for d in runs.values())]
    many = len(runs) if len(runs) > 1 else 2
    heights = [n + 1 for n in (len(rows), len(swaps) * max(1.0, 0.6 * many)) if n]
    figure = Figure(figsize=(_WIDTH, _ROW * sum(heights) + 0.75), layout="constrained")
    panels = list(figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0])
    looks = style.model_styles(runs)
    _draw_scores(panels.pop(0), rows, runs, looks, next(iter(measures)))
    if panels:
        _draw_followed(panels.pop(0), swaps, runs, looks)
    lines = 2 * _legend(figure, runs, looks, bool(swaps))
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, _WIDTH, *_words(runs)))
    return figure


def _rows(runs: Mapping[str, Content]) -> list[str]:
    """Returns the variants of any run, without single looks."""
    names = dict.fromkeys(name for data in runs.values() for name in data["variants"])
    return [name for name in names if not name.startswith("look")]


def _follows(data: Content, variant: str) -> Content:
    return (data["variants"].get(variant) or {}).get("follows") or {}


def _draw_scores(
    ax: Axes, rows: Sequence[str], runs: Mapping[str, Content], looks: Any, measure: str
) -> None:
    _prepare(ax, [said(name) for name in rows])
    for i, (run, data) in enumerate(runs.items()):
        for at, name in enumerate(rows):
            found = data["variants"].get(name) or {}
            y, look = at + _shift(i, len(runs)), looks[run] if len(runs) > 1 else _ONE
            _point(ax, number(found, "mean"), span(found), y, f"{run}|{name}", look)
    ax.set(xlim=(-3, 103), xlabel=f"{measure} with the frame's own truth (%)")


def _draw_followed(ax: Axes, swaps: Sequence[str], runs: Mapping[str, Content], looks: Any) -> None:
    names = {_CONFLICT: "one object of each kind"}
    _prepare(ax, [names.get(name, said(name)) for name in swaps])
    cues = list(_CUES) if len(runs) == 1 else ["flow"]
    count = len(cues) * len(runs)
    for i, (run, data) in enumerate(runs.items()):
        for k, cue in enumerate(cues):
            for at, name in enumerate(swaps):
                found, key = _follows(data, name), f"{cue}_share"
                y = at + _shift(i * len(cues) + k, count)
                look = looks[run] if len(runs) > 1 else _CUES[cue][1]
                value, ends = number(found, key), span(found, f"{key}_interval")
                _point(ax, value, ends, y, f"{run}|{name} {cue}", look)
    what = "the flow's object" if len(runs) > 1 else "it"
    ax.set(xlim=(-3, 103), xlabel=f"sequences whose masks follow {what} (%)")


def _prepare(ax: Axes, words: Sequence[str]) -> None:
    ax.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_yticks(range(len(words)), words)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(words) - 0.5, -0.5)


def _point(ax: Axes, x: float, ends: Place, y: float, gid: str, look: Any) -> None:
    ax.plot(ends, [y, y], color=look["color"], lw=0.9, gid=f"{gid} interval")
    ax.plot([x], [y], ls="none", ms=3.6, gid=gid, clip_on=False, **look)


def _shift(i: int, count: int) -> float:
    return 0.6 * ((i + 0.5) / count - 0.5) if count > 1 else 0.0


def _legend(figure: Figure, runs: Mapping[str, Content], looks: Any, swaps: bool) -> int:
    """Writes the legend if there is anything to tell apart; returns its number of rows."""
    if len(runs) > 1:
        shown = {captions.wrap_name(run, 30, 1): looks[run] for run in runs}
    else:
        shown = dict(_CUES.values()) if swaps else {}
    handles = style.line_handles({name: {**look, "ls": "none"} for name, look in shown.items()})
    return legend_above(figure, handles, _WIDTH) if handles else 0


def _words(runs: Mapping[str, Content]) -> list[str]:
    words = ["Bars: 95 % intervals over sequences."]
    if len(runs) == 1:
        data = next(iter(runs.values()))
        counts = f"{data.get('frames')} frames of {data.get('sequences')} sequences."
        words += [headline(data), counts]
    metas = (data.get("meta") or {} for data in runs.values())
    if origin := origin_words({key: meta.get(key) for key in _ORIGIN} for meta in metas):
        words.append(f"{origin[0].upper()}{origin[1:]}.")
    return words
