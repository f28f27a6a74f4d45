"""The words around a figure: model names that fit, pair counts, and warnings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping

from matplotlib.figure import Figure, FigureBase

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import flow_pairs, origin_words
from slowfast_bias.bias.report_text import frame_wise_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.style import GREY, SMALL
from slowfast_bias.visualization.reading.comparable import differences
from slowfast_bias.visualization.reading.headline import without_motion

_LETTERS_PER_INCH = 19  # of SMALL text, on average
_NOTES = 3


def wrap_name(name: str, width: int, lines: int = 2) -> str:
    """Returns a model's name in at most `lines` lines of `width` letters; may cut its middle.

    Breaks after a separator if there is one. Dollars are no formulas.
    """
    keep = len(name)
    while len(rows := _broken(_cut(name, keep), width)) > lines:
        keep -= 1
    return "\n".join(rows).replace("$", r"\$")


def check_reports(reports: Mapping[str, BiasReport]) -> None:
    """Raises RequestError unless there is a report, and each has a layer."""
    if not isinstance(reports, Mapping):
        raise RequestError(
            f"Expected reports as a mapping from model name to BiasReport, but got "
            f"{type(reports).__name__}: give {{name: report}}."
        )
    if not reports:
        raise RequestError("Expected at least one report, but got none.")
    empty = [name for name, report in reports.items() if not report.layers]
    if empty:
        raise RequestError(f"Expected reports with layers, but {', '.join(empty)} has none.")


def write_caption(
    figure: FigureBase, reports: Mapping[str, BiasReport], inches: float, *words: str
) -> int:
    """Writes a small caption below the figure: `words`, then warnings; returns the line count."""
    lines = textwrap.wrap(" ".join(words), int(inches * _LETTERS_PER_INCH))
    for note in _warnings(reports):
        lines += textwrap.wrap(f"! {note}", int(inches * _LETTERS_PER_INCH))
    text = re.sub(r"(?<!\\)\$", r"\\$", "\n".join(lines))  # dollars are no formulas here
    label = figure.supxlabel(text, fontsize=SMALL, color=GREY, linespacing=1.25)
    label.set(x=0.01, ha="left", gid="caption")
    return len(lines)


def pairs_words(reports: Iterable[BiasReport]) -> str:
    """Returns the text with the number of pairs, and where the numbers of all reports come from."""
    reports = list(reports)
    counts = {n for r in reports for layer in r.layers.values() for n in layer.pairs.values()}
    span = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    words = f"n = {span} pairs per factor.".replace(" ", "\N{NO-BREAK SPACE}", 3)
    from_where = origin_words(report.meta for report in reports)
    from_where = from_where.replace("seed ", "seed\N{NO-BREAK SPACE}")
    return f"{words} {from_where[0].upper()}{from_where[1:]}." if from_where else words


def error_words(reports: Iterable[BiasReport], what: str = "Error bars") -> str:
    """Returns what error bars show: errors are over recordings, which may be cut into videos."""
    metas = [report.meta for report in reports]
    if metas and all(map(flow_pairs, metas)):
        return f"{what}: ±\N{NO-BREAK SPACE}1 standard error over sequences."
    parts = any(x.get("recordings") and x["recordings"] != x.get("videos") for x in metas)
    over = "recordings" if parts else "videos"
    return f"{what}: ±\N{NO-BREAK SPACE}1 standard error over {over}."


def motion_words(reports: Mapping[str, BiasReport]) -> str:
    """Returns whose motion-only is 0 by construction, and who has none; or ""."""
    words = []
    if len(reports) == 1:
        words = [x for r in reports.values() if (x := frame_wise_words(r.layers, r.meta))]
    elif names := [n for n, r in reports.items() if all(x.frame_wise for x in r.layers.values())]:
        words = [f"motion-only is 0 by construction (frames one by one): {_list(names)}"]
    if names := without_motion(reports):
        words.append(f"measured before there was motion-only: {_list(names)}")
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in words)


def threshold_words(reports: Iterable[BiasReport]) -> str:
    """Returns the text with the threshold and statistic that decided the kinds of units."""
    layers = [layer for report in reports for layer in report.layers.values()]
    values = ", ".join(f"{x:g}" for x in sorted({layer.threshold for layer in layers}))
    names = " and ".join(sorted({layer.statistic for layer in layers}))
    return f"A unit encodes a factor where its {names} score is above {values}."


def make_taller(figure: Figure, lines: int) -> None:
    """Makes the figure taller by `lines` lines of small text, so that panels keep their size."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + lines * SMALL * 1.3 / 72)


def _warnings(reports: Mapping[str, BiasReport]) -> list[str]:
    notes: dict[str, list[str]] = {}
    for name, report in reports.items():
        for note in report.warnings:
            notes.setdefault(note, []).append(wrap_name(name, 30, 1))
    found = []
    if settings := differences(reports):
        found.append(f"not comparable: the reports differ in {', '.join(settings)}")
    for note, names in notes.items():
        found.append(note if len(names) == len(reports) else f"{', '.join(names)}: {note}")
    more = len(found) - _NOTES
    return found if more <= 0 else [*found[:_NOTES], f"and {more} more warnings in the report"]


def _list(names: Iterable[str]) -> str:
    return ", ".join(wrap_name(name, 30, 1) for name in names)


def _broken(name: str, width: int) -> list[str]:
    rows = [""]
    for word in re.findall(r"[^ _\-/.,]*[ _\-/.,]?", name):
        for piece in textwrap.wrap(word, width, drop_whitespace=False, break_on_hyphens=False):
            if rows[-1] and len(rows[-1]) + len(piece.rstrip()) > width:
                rows.append("")
            rows[-1] += piece
    return [row.strip() for row in rows]


def _cut(name: str, keep: int) -> str:
    """Returns the name with `keep` letters or fewer, from its start and its end."""
    return name if keep >= len(name) else f"{name[: keep // 2]}…{name[len(name) - keep // 2 :]}"
