"""Accuracies as cells of tables: what the sections on tests share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from slowfast_bias.visualization.drawing.bands import chance_of
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Cell, Note, Table, percent_cell
from slowfast_bias.visualization.html.charts.bars import accuracy_bar
from slowfast_bias.visualization.reading.comparable import differences_of_tests
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder
from slowfast_bias.visualization.reading.same_network import other_weights


def accuracy_cells(figures: Mapping[str, Any], chance: float | None) -> list[Cell]:
    """Returns the accuracy, a dot with its interval, and the interval in numbers."""
    value, (low, high) = number(figures, "accuracy"), span(figures)
    bar = accuracy_bar(value, low, high, chance)
    return [percent_cell(value), Cell("", value, bar), Cell(words.span(low, high), low)]


def chance_words(contents: Iterable[Mapping[str, Any]]) -> str:
    """Returns what the dotted line is."""
    found = {chance_of(data) for data in contents} - {None}
    if len(found) != 1:
        return "The dotted line is a guess." if found else ""
    return f"The dotted line is a guess, {words.percent(found.pop() or math.nan)}."


def videos_words(data: Mapping[str, Any]) -> str:
    """Returns "128 videos of 12 recordings"."""
    meta = data.get("meta") or {}
    videos = data.get("videos", meta.get("videos"))
    recordings = data.get("recordings", meta.get("recordings"))
    if not isinstance(videos, int):
        return "an unknown number of videos"
    parts = isinstance(recordings, int) and recordings != videos
    of = f" of {words.count(recordings, 'recording')}" if parts else ""
    return f"{words.count(videos, 'video')}{of}"


def tests_note(tests: Mapping[str, Mapping[str, Any]]) -> list[Note]:
    """Returns a warning if tests that stand side by side are of other lists or classes."""
    found = differences_of_tests(tests)
    if not found:
        return []
    said = "; ".join(f"{key}: {text}" for key, text in found.items())
    text = "These numbers are not of the same test, so they must not be compared"
    return [Note(f"{text}. {said[0].upper()}{said[1:]}.", warning=True)]


def weights_note(name: str, runs: Mapping[str, RunFolder], result: str) -> list[Note]:
    """Returns a warning if a result is of other weights than the rest of its run."""
    weights = other_weights(runs[name]).get(result)
    if not weights:
        return []
    whose = f"{name}: of" if len(runs) > 1 else "Of"
    return [Note(f"{whose} other weights than the rest of this run: {weights}.", warning=True)]


def class_table(
    name: str, variants: Mapping[str, Mapping[str, Any]], data: Mapping[str, Any]
) -> Table | None:
    """Returns a row per class and a column per variant; None if classes are not known.

    `per_class` of a variant has accuracies, or figures with an accuracy each.
    """
    known = {x: v.get("per_class") for x, v in variants.items()}
    known = {x: per for x, per in known.items() if isinstance(per, Mapping) and per}
    classes = sorted({c for per in known.values() for c in per}, key=_number)
    if not classes:
        return None
    names = data.get("class_names") or {}
    rows: list[list[Cell | str]] = [
        [
            Cell(f"{names[c]} ({c})" if c in names else f"class {c}", _number(c)),
            *(percent_cell(_accuracy(per.get(c))) for per in known.values()),
        ]
        for c in classes
    ]
    return Table(f"Accuracy of every class, {name}", ["class", *known], rows)


def _accuracy(found: Any) -> float:
    value = found.get("accuracy") if isinstance(found, Mapping) else found
    return math.nan if value is None else float(value)


def _number(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return math.inf
