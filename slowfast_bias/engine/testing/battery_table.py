"""The battery as text: aligned tables for a log, and a page in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slowfast_bias import plain_table
from slowfast_bias.engine.testing.vote import counted, videos_and_recordings

Figures = Mapping[str, Any]
Rows = list[list[str]]
_FEW_CLASSES = 20  # more are in the file only
# Share of a benchmark of cues -> its words, and the key of its interval.
_SHARES = {
    "accuracy": ("right", "interval"),
    "dynamic": ("named the moving class", "dynamic_interval"),
    "static": ("named the static class", "static_interval"),
    "prefers_dynamic": ("moving class likelier", "prefers_dynamic_interval"),
    "background": ("named the background's class", "background_interval"),
}
# What a reader who has not read docs/METHOD.md needs of each entry.
_MEANINGS = {
    "frozen": "the middle frame throughout",
    "styled": "mean over looks",
}


def battery_table(figures: Figures) -> str:
    """Returns the numbers as aligned text."""
    lines = [videos_and_recordings(figures)]
    lines += [f"! {note}" for note in figures["meta"].get("notes", ())]
    for _, rows in _tables(figures):
        lines += ["", *(line.rstrip() for line in plain_table.aligned(rows))]
    if figures["partners"]:
        lines += ["", _partners(figures["partners"])]
    return "\n".join(lines + [f"! {note}" for note in _list_notes(figures)])


def battery_markdown(figures: Figures) -> str:
    """Returns the numbers as a page in Markdown."""
    lines = ["# Battery of changed clips", "", f"{videos_and_recordings(figures)}, 95 % intervals."]
    lines += [f"\n> {note}" for note in figures["meta"].get("notes", ())]
    for title, rows in _tables(figures):
        lines += ["", f"## {title}", "", *plain_table.markdown(rows)]
    if figures["partners"]:
        lines += ["", "## Partners", "", _partners(figures["partners"])]
    lines += [f"\n> {note}" for note in _list_notes(figures)]
    return "\n".join(lines) + "\n"


def _tables(figures: Figures) -> Iterator[tuple[str, Rows]]:
    if figures["labelled"]:
        yield "Accuracy", _accuracies(figures)
    yield "Divergence of the outputs", _divergences(figures)
    if figures["lists"]:
        yield "Parts of the list", _lists(figures["lists"])
    if figures["benchmarks"]:
        yield "Benchmarks of cues", _benchmarks(figures["benchmarks"])
    classes = figures["variants"]["ordered"]["per_class"]
    if 0 < len(classes) <= _FEW_CLASSES:
        yield "By class", _classes(figures)


def _accuracies(figures: Figures) -> Rows:
    rows = [["clips", "accuracy %", "", "against ordered", "", ""]]
    for name, found in figures["variants"].items():
        against = found.get("against_ordered", {})
        change = _number(against["difference"], "+.2f") if against else ""
        span = _span(against["interval"]) if against else ""
        cells = [_number(found["accuracy"]), _span(found["interval"]), change, span]
        cells.append(_meaning(name, found))
        rows.append([name, *cells])
    return rows


def _meaning(name: str, found: Figures) -> str:
    """Returns what a reader needs to know of an entry."""
    if "spread" in found:
        return f"spread {found['spread']:.2f}"
    if "guess" in found:
        frames = f"any of {found['frames']} single frames" if found["frames"] > 1 else "one frame"
        return f"{frames} right: an upper bound, a guess has {found['guess']:.1f} %"
    return _MEANINGS.get(name, "")


def _divergences(figures: Figures) -> Rows:
    rows = [["KL from ordered (nats)", "mean", "", "median"]]
    for name, found in figures["divergence"].items():
        mean, median = _number(found["mean"], ".4f"), _number(found["median"], ".4f")
        rows.append([name, mean, _span(found["interval"], ".4f"), median])
    return rows


def _lists(lists: Mapping[str, Figures]) -> Rows:
    names = list(dict.fromkeys(name for one in lists.values() for name in one["variants"]))
    rows = [["list", "videos", *(cell for name in names for cell in (f"{name} %", ""))]]
    for name, found in lists.items():
        cells = [name, str(found["videos"])]
        for variant in names:
            one = found["variants"][variant]
            cells += [_number(one["accuracy"]), _span(one["interval"])]
        rows.append(cells)
    return rows


def _benchmarks(benchmarks: Mapping[str, Figures]) -> Rows:
    rows = [["benchmark", "share of videos", "%", "", "videos", "not counted"]]
    for name, found in benchmarks.items():
        shown = str(found.get("pairs", found.get("videos")))
        for key, (said, interval) in _SHARES.items():
            if key in found:
                cells = [said, _number(found[key]), _span(found[interval]), shown]
                rows.append([name.replace("_", " "), *cells, _left_out(found)])
    return rows


def _left_out(found: Figures) -> str:
    """Returns how many videos of a benchmark do not count, and why; "0" if all do."""
    whys = {"dropped": "unreadable", "left_out": "human too small or too large"}
    counts = {why: found.get(key, 0) for key, why in whys.items()}
    return ", ".join(f"{count} {why}" for why, count in counts.items() if count) or "0"


def _classes(figures: Figures) -> Rows:
    shown = [n for n in ("ordered", "shuffled", "reversed", "frozen", "styled")
             if n in figures["variants"]]  # fmt: skip
    rows = [["class", "videos", *(f"{name} %" for name in shown)]]
    for label, first in figures["variants"]["ordered"]["per_class"].items():
        called = figures["class_names"].get(str(label))
        each = [figures["variants"][name]["per_class"][label]["accuracy"] for name in shown]
        rows.append([f"{label} {called}" if called else str(label), str(first["videos"])])
        rows[-1] += [_number(rate, ".1f") for rate in each]
    return rows


def _partners(found: Figures) -> str:
    return (
        f"named the partner class when reversed: {_number(found['rate'])} % "
        f"{_span(found['interval'])} of {counted(found['videos'], 'videos')}, "
        f"{counted(len(found['pairs']), 'pairs')}"
    )


def _list_notes(figures: Figures) -> list[str]:
    return [f"{name}: {found['note']}" for name, found in figures["lists"].items() if found["note"]]


def _number(value: float, form: str = ".2f") -> str:
    return "-" if math.isnan(value) else format(value, form)


def _span(interval: Sequence[float], form: str = ".1f") -> str:
    low, high = interval
    return "-" if math.isnan(low) else f"[{low:{form}}, {high:{form}}]"
