"""The battery: what networks still know of changed clips, and how far their outputs move."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.bias.origin import ORIGIN, origin_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import (
    CHANCE,
    chance_handle,
    chance_of,
    legend_above,
)
from slowfast_bias.visualization.figures.frame_orders import ORDERS
from slowfast_bias.visualization.reading.result_files import number, span

Content = Mapping[str, Any]
Row = tuple[str, str]  # an entry of the result, and what it is called in a figure
KIND = "battery"
GUESS = {**CHANCE, "lw": 1.2, "ls": "-"}  # the look of the chance of a single row
_BEST = "best_frame"
_WORDS = {
    "ordered": "as filmed",
    "shuffled": "frames shuffled",
    "reversed": "reversed",
    "frozen": "frozen: the middle frame",
    _BEST: "best single frame (upper bound)",
    "styled": "in other looks (mean)",
}
_PARTNER = ("partners", "reversed, named the partner")
_OUTPUTS = {"shuffled": "frames shuffled", "reversed": "reversed"}
_COLORS = {**ORDERS, "styled": style.COLORS["look"]}
_LOOKS = {
    name: {"color": color, "marker": marker}
    for (name, color), marker in zip(_COLORS.items(), "osD^v", strict=True)
}
_KINDS = {"windows": "shuffled", "partners": "reversed", _BEST: "frozen", "frames": "frozen"}
_KINDS |= {"look": "styled"}
_ROW, _WIDTH = 0.19, 4.8  # inches
_LIST = 2.4  # rows that a part of the list takes
_ORIGIN = [key for key in ORIGIN if key != "seed"]  # its words are about pairs


def battery_figure(data: Content) -> Figure:
    """Returns the figure of one run's `bias/battery.json`, parts of its list below."""
    return compare_batteries({"": data})


@style.styled()
def compare_batteries(runs: Mapping[str, Content]) -> Figure:
    """Returns a row per kind of clip: accuracy with its interval; below, how far outputs move.

    Args:
        runs: {run: content of its `bias/battery.json`}.
    """
    if not runs:
        raise RequestError("Expected at least one run, but got none.")
    for name, data in runs.items():
        _check(name, data)
    only = next(iter(runs.values())) if len(runs) == 1 else {}
    rows, lists = _rows(runs), list(only.get("lists") or {})
    heights = [n + 1 for n in (len(rows), len(_OUTPUTS), _LIST * len(lists)) if n]
    figure = Figure(figsize=(_WIDTH, _ROW * sum(heights) + 0.75), layout="constrained")
    panels = list(figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0])
    looks = style.model_styles(runs)
    if rows:
        _draw_accuracies(panels.pop(0), rows, runs, looks)
    _draw_outputs(panels.pop(0), runs, looks)
    if lists:
        _draw_lists(panels.pop(0), only)
    lines = 2 * _legend(figure, runs, looks, bool(lists))
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, _WIDTH, *_words(runs)))
    return figure


def _rows(runs: Mapping[str, Content]) -> list[Row]:
    """Returns the kinds of clips that any run has an accuracy of, from the top down."""
    names = dict.fromkeys(
        name
        for data in runs.values()
        for name, found in data["variants"].items()
        if not math.isnan(number(found, "accuracy"))
    )
    rows = [(name, _called(name)) for name in names if name != "frames1"]  # the frozen clip
    return rows + [_PARTNER] if any(data.get("partners") for data in runs.values()) else rows


def _called(name: str) -> str:
    found = re.fullmatch(r"(windows|frames|look)(\d+)", name)
    if found is None:
        return _WORDS.get(name, name)
    kind, count = found[1], int(found[2])
    if kind == "windows":
        return f"shuffled within windows of {count}"
    if kind == "look":
        return f"in look {count}"
    return f"{count} frames, held"


def _entry(data: Content, name: str) -> tuple[float, tuple[float, float]]:
    if name == _PARTNER[0]:
        found = data.get("partners") or {}
        return number(found, "rate"), span(found)
    found = data["variants"].get(name) or {}
    return number(found, "accuracy"), span(found)


def _draw_accuracies(
    ax: Axes, rows: Sequence[Row], runs: Mapping[str, Content], looks: Mapping[str, Any]
) -> None:
    _prepare(ax, [words for _, words in rows])
    for i, (run, data) in enumerate(runs.items()):
        for at, (name, _) in enumerate(rows):
            value, ends = _entry(data, name)
            look = looks[run] if len(runs) > 1 else _LOOKS[_kind(name)]
            _point(ax, value, ends, at + _shift(i, len(runs)), f"{run}|{name}", look)
    for chance in {chance_of(data) for data in runs.values()} - {None}:
        ax.axvline(chance, gid="chance", zorder=1, **CHANCE)
    for at in (at for at, (name, _) in enumerate(rows) if name == _BEST):
        for guess in _guesses(runs):
            ax.plot([guess] * 2, [at - 0.45, at + 0.45], gid="guess", zorder=1, **GUESS)
    ax.set(xlim=(-3, 103), xlabel="accuracy (%)")


def _guesses(runs: Mapping[str, Content]) -> dict[float, int]:
    """Returns {what a guess for each single frame gives in percent: the number of frames}."""
    found = (data["variants"].get(_BEST) or {} for data in runs.values())
    return {x["guess"]: x["frames"] for x in found if not math.isnan(number(x, "guess"))}


def _draw_outputs(ax: Axes, runs: Mapping[str, Content], looks: Mapping[str, Any]) -> None:
    _prepare(ax, list(_OUTPUTS.values()))
    for i, (run, data) in enumerate(runs.items()):
        for at, name in enumerate(_OUTPUTS):
            found = data["divergence"].get(name) or {}
            y, gid = at + _shift(i, len(runs)), f"{run}|divergence {name}"
            look = looks[run] if len(runs) > 1 else _LOOKS[name]
            _point(ax, number(found, "mean"), span(found), y, gid, look)
    ax.set_xlim(left=min(0, ax.get_xlim()[0]))
    ax.set_xlabel("KL from the outputs as filmed (nats)")


def _draw_lists(ax: Axes, data: Content) -> None:
    """Draws parts of the test list, a mark for each kind of clip."""
    lists = data["lists"]
    _prepare(ax, [captions.wrap_name(name, 30, 1) for name in lists])
    for at, (name, found) in enumerate(lists.items()):
        for i, (variant, one) in enumerate(found["variants"].items()):
            y, gid = at + _shift(i, len(found["variants"])), f"{name}|{variant}"
            _point(ax, number(one, "accuracy"), span(one), y, gid, _LOOKS[variant])
    if chance := chance_of(data):
        ax.axvline(chance, gid="chance", zorder=1, **CHANCE)
    ax.set(xlim=(-3, 103), xlabel="accuracy in parts of the list (%)")


def _prepare(ax: Axes, words: Sequence[str]) -> None:
    ax.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_yticks(range(len(words)), words)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(words) - 0.5, -0.5)


def _point(
    ax: Axes, x: float, ends: tuple[float, float], y: float, gid: str, look: Mapping[str, Any]
) -> None:
    """Draws a value with its interval; nothing if there is no value."""
    ax.plot(ends, [y, y], color=look["color"], lw=0.9, gid=f"{gid} interval")
    ax.plot([x], [y], ls="none", ms=3.6, gid=gid, clip_on=False, **look)


def _shift(i: int, count: int) -> float:
    """Returns how far from the middle of a row the i-th of several marks is."""
    return 0.7 * ((i + 0.5) / count - 0.5) if count > 1 else 0.0


def _kind(name: str) -> str:
    """Returns the entry whose colour an entry has."""
    return _KINDS.get(re.sub(r"\d+$", "", name), name)


def _legend(
    figure: Figure, runs: Mapping[str, Content], looks: Mapping[str, Any], lists: bool
) -> int:
    """Writes the legend if there is anything to tell apart; returns its number of rows."""
    shown = {captions.wrap_name(run, 30, 1): looks[run] for run in runs} if len(runs) > 1 else {}
    if lists:
        shown |= _LOOKS
    handles = style.line_handles({name: {**look, "ls": "none"} for name, look in shown.items()})
    if any(chance_of(data) for data in runs.values()):
        handles.append(chance_handle())
    return legend_above(figure, handles, _WIDTH) if handles else 0


def _check(name: str, data: Content) -> None:
    whose = f" for {name!r}" if name else ""
    lacking = [key for key in ("variants", "divergence") if not isinstance(data.get(key), Mapping)]
    if lacking:
        raise RequestError(
            f"Expected the content of a bias/battery.json{whose}, but it has no "
            f"{' and no '.join(lacking)}."
        )


def _words(runs: Mapping[str, Content]) -> list[str]:
    words = ["Bars: 95 % intervals over recordings."]
    orders = {data.get("orders") for data in runs.values()} - {None}
    if orders:
        many = " to ".join(str(n) for n in dict.fromkeys((min(orders), max(orders))))
        words.append(f"Shuffled: mean over {many} random orders.")
    for guess, frames in _guesses(runs).items():
        words.append(f"Line beside the best frame: guessing each of {frames} gives {guess:.1f} %.")
    if any(data.get("partners") for data in runs.values()):
        words.append(
            "Partner: of the videos that are right as filmed, those that get their partner's class."
        )
    if any(data.get("labelled") is False for data in runs.values()):
        words.append("Without labels there are no accuracies.")
    metas = (data.get("meta") or {} for data in runs.values())
    if origin := origin_words({key: meta.get(key) for key in _ORIGIN} for meta in metas):
        words.append(f"{origin[0].upper()}{origin[1:]}.")
    return words
