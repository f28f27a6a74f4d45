"""The behavioural battery: what a network still gets right when its clips are changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.drawing.bands import chance_of
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Cell, Folded, Heading, Note, Section, Table
from slowfast_bias.visualization.html.sections.accuracies import (
    accuracy_cells,
    chance_words,
    class_table,
    tests_note,
    videos_words,
    weights_note,
)
from slowfast_bias.visualization.html.sections.benchmarks import benchmark_table
from slowfast_bias.visualization.reading.mask_answers import is_of_masks
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder

BEST = "best_frame"
SAID = {
    "ordered": "as filmed",
    "shuffled": "frames in random order",
    "reversed": "played backwards",
    "frozen": "the middle frame repeated",
    BEST: "right if any single frame is: an upper bound",
    "styled": "other looks, their mean",
}


def battery_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the accuracies of every variant of every run, and what else the battery found."""
    found = {
        name: run.battery
        for name, run in runs.items()
        if run.battery and not is_of_masks(run.battery)
    }
    if not found:
        return None
    orders = {f"{name}, out of order": run.orders for name, run in runs.items() if run.orders}
    blocks: list[object] = [*tests_note({**found, **orders})]
    for name, data in found.items():
        if len(runs) > 1:
            blocks.append(Heading(name))
        blocks += weights_note(name, runs, "battery")
        blocks += _blocks(name, data)
    lead = (
        "Every variant is made from the same decoded video, so that differences are paired by "
        f"video. {chance_words(found.values())}"
    )
    return Section("battery", "Changed clips", blocks, lead.strip())


def _blocks(name: str, data: Mapping[str, Any]) -> list[object]:
    variants = {x: v for x, v in data["variants"].items() if isinstance(v, Mapping)}
    looks = {x: v for x, v in variants.items() if x.startswith("look")}
    main = {x: v for x, v in variants.items() if x not in looks}
    blocks: list[object] = [_table("Accuracy with changed clips", main, data)]
    blocks += [Note(text) for text in (*_divergence(data), *_partners(data)) if text]
    if looks:
        blocks.append(Folded("Accuracy in each look", [_table("Each look", looks, data)]))
    if data.get("lists"):
        blocks.append(_lists(data))
    if data.get("benchmarks"):
        blocks.append(benchmark_table(data["benchmarks"]))
    classes = class_table(name, variants, data)
    if classes:
        blocks.append(Folded("Accuracy of every class", [classes]))
    return [*blocks, Note(f"Tested on {videos_words(data)}.")]


def said(variant: str) -> str:
    """Returns what is done to the clips of a variant, in words."""
    if variant in SAID:
        return SAID[variant]
    kind, digits = variant.rstrip("0123456789"), variant.lstrip("abcdefghijklmnopqrstuvwxyz_")
    if kind == "windows" and digits:
        return f"frames shuffled within windows of {digits}"
    if kind == "frames" and digits:
        return f"{words.count(int(digits), 'distinct frame')}, repeated"
    return f"look {digits} of the bank" if kind == "look" and digits else ""


def best_guess(figures: Mapping[str, Any]) -> float | None:
    """Returns the percent of videos that a guess for each single frame gets right once at least.

    None in files of before the battery gave it.
    """
    guess = number(figures, "guess")
    return guess if math.isfinite(guess) else None


def guess_words(figures: Mapping[str, Any]) -> str:
    """Returns what a guess has of it, as it may try once per frame."""
    guess, frames = best_guess(figures), figures.get("frames")
    if guess is None:
        return "; a guess, which tries once per frame, has more than in the other rows"
    tries = f" with {words.count(frames, 'frame')}" if isinstance(frames, int) else ""
    return f"; a guess has {words.percent(guess)}{tries}"


def _table(caption: str, variants: Mapping[str, Any], data: Mapping[str, Any]) -> Table:
    rows = []
    for name, figures in variants.items():
        against, text = figures.get("against_ordered"), said(name)
        guess, more = chance_of(data), ""
        if name == BEST:
            guess, more = best_guess(figures), guess_words(figures)
        title = f"{name}, {text}{more}" if text else name
        row = [Cell(title, name), *accuracy_cells(figures, guess)]
        rows.append([*row, *difference_cells(against)])
    head = ["clips", "accuracy", "", "95 % interval", "against ordered, points", "its interval"]
    return Table(caption, head, rows, 1, wide=2)


def difference_cells(against: Any) -> list[Cell]:
    """Returns a paired difference in points, and its interval."""
    if not isinstance(against, Mapping):
        return [Cell(words.NONE), Cell(words.NONE)]
    value, (low, high) = number(against, "difference"), span(against)
    signed = f"+{words.score(value, 1)}" if value > 0 else words.score(value, 1)
    return [Cell(signed, value), Cell(words.span(low, high), low)]


def _divergence(data: Mapping[str, Any]) -> list[str]:
    found = []
    for variant, figures in (data.get("divergence") or {}).items():
        mean, (low, high) = number(figures, "mean"), span(figures)
        if math.isfinite(mean):
            found.append(
                f"Divergence of the outputs, KL(ordered, {variant}): {words.score(mean)} nats "
                f"{words.span(low, high, 3)}, median {words.score(number(figures, 'median'))}; "
                "0 means that the outputs do not change at all, right or wrong."
            )
    return found


def _partners(data: Mapping[str, Any]) -> list[str]:
    found = data.get("partners")
    if not isinstance(found, Mapping):
        return []
    rate = words.with_span(number(found, "rate"), *span(found))
    pairs = [f"{a} / {b}" for a, b in found.get("pairs") or ()]
    named = f" ({words.listed(pairs, 4)})" if pairs else ""
    videos = words.count(int(number(found, "videos")), "video")
    return [
        f"Played backwards, {rate} of {videos} that are right in order are named the mirrored "
        f"class{named}."
    ]


def _lists(data: Mapping[str, Any]) -> Table:
    names = list(dict.fromkeys(v for x in data["lists"].values() for v in x.get("variants") or ()))
    rows: list[list[Cell | str]] = []
    for name, figures in data["lists"].items():
        row: list[Cell | str] = [f"{name} {figures.get('note') or ''}".strip()]
        row.append(Cell(str(figures.get("videos", words.NONE)), figures.get("videos") or 0))
        for variant in names:
            found = (figures.get("variants") or {}).get(variant) or {}
            value = number(found, "accuracy")
            row.append(Cell(words.with_span(value, *span(found)), value))
        rows.append(row)
    return Table("Accuracy on named lists", ["list", "videos", *names], rows)
