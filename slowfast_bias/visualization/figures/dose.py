"""Dose response: the effect of a dropout rate on a network's reliance on static and dynamic.

    figure, text = dose_figure(rows), dose_table(rows)

A row is one trained network: {"kind": "none" | "standard" | "static", "rate": 0.3 (None for none),
"temperature": 0.1 (of static), "seed": 0, "ordered": %, "shuffled": %, "dynamic_ratio": 0 to 1,
"dynamic_share": 0 to 1, "cue_motion": % or None, "top_k": {name: %} or None}.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import BAND, legend_above
from slowfast_bias.visualization.reading.result_files import number

Row = Mapping[str, Any]
Group = tuple[str, float | None]  # kind, temperature
KINDS = ("none", "standard", "static")
PANELS = {  # title and label of the y axis
    "shuffled": ("shuffled frames", "accuracy (%)"),
    "dynamic_ratio": ("kinds of units", "dynamic / (dynamic + static)"),
    "dynamic_share": ("what the head weighs", "dynamic share"),
    "cue_motion": ("cue conflict", "choices that follow motion (%)"),
}
_STANDARD = {"color": "#4D4D4D", "marker": "D"}
_NONE = {"color": "#A0A0A0", "ls": (0, (5, 2)), "lw": 1.2}
_DODGE = 0.018  # between lines, in rate, so that the seeds of one rate are beside each other


@style.styled()
def dose_figure(rows: Sequence[Row]) -> Figure:
    """Returns panels over the rate: accuracy, ratio of units, share, and cue conflict if known.

    Lines are means over seeds, bars their standard deviation, dots the seeds; networks without
    dropout are a horizontal band, mean ± standard deviation.
    """
    check_rows(rows)
    panels = [key for key in PANELS if any(math.isfinite(number(row, key)) for row in rows)]
    if not panels:
        raise RequestError(f"Expected a number in some row for one of {', '.join(PANELS)}.")
    width = 0.2 + 2.35 * len(panels)
    figure = Figure(figsize=(width, 2.35), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    looks = _looks(rows)
    for ax, key in zip(axes, panels, strict=True):
        style.guides(ax)
        if key == "shuffled":
            _draw(ax, rows, "ordered", looks, ordered=True)
        _draw(ax, rows, key, looks)
        _dress(ax, rows, key)
    handles = style.line_handles({_name(group): look for group, look in looks.items()})
    if any(row["kind"] == "none" for row in rows):
        handles.append(Line2D([], [], label="no dropout", **_NONE))
    if "shuffled" in panels:
        look = {"color": style.GREY, "marker": "o"}
        handles.append(Line2D([], [], label="ordered frames", **look, ls=":", mfc="white"))
    lines = 2 * legend_above(figure, handles, width)
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, width, *_words(rows)))
    return figure


def dose_table(rows: Sequence[Row]) -> str:
    """Returns a Markdown table, a row per kind, temperature and rate: mean ± sd over seeds."""
    check_rows(rows)
    ranked = list(dict.fromkeys(key for row in rows for key in row.get("top_k") or {}))
    columns = {
        "ordered %": ("ordered", 1), "shuffled %": ("shuffled", 1),
        "dynamic ratio": ("dynamic_ratio", 3), "dynamic share": ("dynamic_share", 3),
        "follows motion %": ("cue_motion", 1), **{key: (key, 1) for key in ranked},
    }  # fmt: skip
    flat = [{**(row.get("top_k") or {}), **row} for row in rows]
    filled = {
        title: (key, digits)
        for title, (key, digits) in columns.items()
        if any(math.isfinite(number(row, key)) for row in flat)
    }
    head = ["dropout", "temperature", "rate", "seeds", *filled]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for group in _groups(rows):
        for rate, members in _by_rate(flat, group).items():
            kind, temperature = group
            cells = [kind, _text(temperature), _text(rate), str(len(members))]
            cells += [_spread(*mean_sd(members, key), digits) for key, digits in filled.values()]
            lines.append(cells)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def mean_sd(rows: Sequence[Row], key: str) -> tuple[float, float]:
    """Returns mean and sample standard deviation over the rows that have `key`; NaN if too few."""
    values = [x for row in rows if math.isfinite(x := number(row, key))]
    mean = statistics.fmean(values) if values else math.nan
    return mean, statistics.stdev(values) if len(values) > 1 else math.nan


def check_rows(rows: Sequence[Row]) -> None:
    """Raises RequestError unless there are rows, of known kinds, with rates, each network once."""
    if not rows:
        raise RequestError("Expected at least one row of a sweep, but got none: run it first.")
    seen = set()
    for row in rows:
        kind, rate = row.get("kind"), row.get("rate")
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise RequestError(f"Expected `kind` to be one of {known}, but got {kind!r}.")
        if kind != "none" and rate is None:
            raise RequestError(f"Expected a rate for dropout of kind {kind!r}, but got None.")
        if kind == "static" and row.get("temperature") is None:
            raise RequestError("Expected a temperature for dropout of kind 'static', but got None.")
        key = (*_group(row), _rate(row), row.get("seed"))
        if key in seen:
            raise RequestError(
                f"Expected each network once, but kind {kind}, rate {rate}, temperature "
                f"{key[1]}, seed {key[3]} came twice."
            )
        seen.add(key)


def _draw(
    ax: Axes, rows: Sequence[Row], key: str, looks: Mapping[Group, dict], ordered: bool = False
) -> None:
    """Draws one quantity of every group; `ordered` is the second one in a panel, dotted."""
    for i, group in enumerate(looks):
        found = _by_rate(rows, group)
        shift = (i - (len(looks) - 1) / 2) * _DODGE
        x = [rate + shift for rate in found]
        y, sd = zip(*(mean_sd(members, key) for members in found.values()), strict=True)
        kind, temperature = group
        gid, look = f"{key}|{kind}|{_text(temperature)}", looks[group]
        extra = {"ls": ":", "mfc": "white"} if ordered else {}
        ax.errorbar(
            x, y, [0 if math.isnan(s) else s for s in sd], label=gid, ms=3.5, elinewidth=0.8,
            capsize=1.5, **look, **extra,
        )  # fmt: skip
        dots = [
            (rate + shift, number(row, key)) for rate, members in found.items() for row in members
        ]
        ax.scatter(
            *zip(*dots, strict=True), s=7, alpha=0.55, lw=0, color=look["color"], zorder=1.9,
            gid=f"{gid} seeds",
        )  # fmt: skip
    mean, sd = mean_sd(_by_rate(rows, ("none", None)).get(None, []), key)
    if math.isfinite(mean):
        line = {**_NONE, "ls": ":"} if ordered else _NONE
        ax.axhline(mean, gid=f"{key}|none", zorder=1.5, **line)
        if math.isfinite(sd):
            ax.axhspan(mean - sd, mean + sd, color=_NONE["color"], alpha=BAND, lw=0, zorder=1)


def _dress(ax: Axes, rows: Sequence[Row], key: str) -> None:
    rates = sorted({_rate(row) for row in rows} - {None})
    if rates:
        margin = 0.06 * max(rates[-1] - rates[0], 0.5)
        ax.set_xlim(rates[0] - margin, rates[-1] + margin)
        ax.set_xticks(rates if len(rates) <= 6 else rates[:: math.ceil(len(rates) / 6)])
    else:
        ax.set_xticks([])
    ax.set_xlabel("drop rate $r$")
    title, label = PANELS[key]
    ax.set_title(title)
    ax.set_ylabel(label)
    ax.margins(y=0.08)


def _looks(rows: Sequence[Row]) -> dict[Group, dict[str, Any]]:
    """Returns {group: its look}, without groups that have no dropout; standard dropout is grey."""
    groups = [group for group in _groups(rows) if group[0] != "none"]
    static = style.model_styles(str(t) for kind, t in groups if kind == "static")
    return {g: static[str(g[1])] if g[0] == "static" else _STANDARD for g in groups}


def _groups(rows: Sequence[Row]) -> list[Group]:
    """Returns the groups: none, standard, then static from the lowest temperature up."""
    return sorted({_group(row) for row in rows}, key=lambda g: (KINDS.index(g[0]), g[1] or 0))


def _group(row: Row) -> Group:
    kind = row["kind"]  # a temperature has a meaning only for static
    return kind, float(row["temperature"]) if kind == "static" else None


def _by_rate(rows: Sequence[Row], group: Group) -> dict[float | None, list[Row]]:
    members = [row for row in rows if _group(row) == group]
    rates = sorted({_rate(row) for row in members}, key=lambda r: r or 0)
    return {rate: [row for row in members if _rate(row) == rate] for rate in rates}


def _rate(row: Row) -> float | None:
    return None if row["kind"] == "none" else float(row["rate"])


def _name(group: Group) -> str:
    kind, temperature = group
    return "standard dropout" if kind == "standard" else f"StaticDropout, temperature {temperature}"


def _words(rows: Sequence[Row]) -> list[str]:
    groups = [members for group in _groups(rows) for members in _by_rate(rows, group).values()]
    counts = sorted({len(members) for members in groups})
    many = " to ".join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))
    if counts[-1] == 1:
        return ["One seed each."]
    return [
        f"Lines: mean over {many} seeds; bars and band ± 1 standard deviation; dots: single seeds."
    ]


def _spread(mean: float, sd: float, digits: int) -> str:
    if math.isnan(mean):
        return "-"
    return f"{mean:.{digits}f}" + ("" if math.isnan(sd) else f" ± {sd:.{digits}f}")


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
