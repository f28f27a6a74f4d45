"""Accuracy with frames in and out of order: what a network loses if it cannot use motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.drawing.bands import chance_of
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Cell, Folded, Note, Section, Table
from slowfast_bias.visualization.html.sections.accuracies import (
    accuracy_cells,
    chance_words,
    class_table,
    tests_note,
    videos_words,
    weights_note,
)
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder

ORDERS = ("ordered", "shuffled", "reversed", "frozen")
_SAID = {
    "ordered": "as filmed",
    "shuffled": "in random order",
    "reversed": "played backwards",
    "frozen": "the middle frame repeated",
}


def orders_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the accuracies of every run by order, those of classes, and what shuffling costs."""
    tested = {name: run.orders for name, run in runs.items() if run.orders}
    if not tested:
        return None
    head = [*(["network"] if len(runs) > 1 else []), "frames", "accuracy", "", "95 % interval"]
    rows, notes, classes = [], [], []
    for name, data in tested.items():
        first = [name] if len(runs) > 1 else []
        orders = {order: data[order] for order in ORDERS if isinstance(data.get(order), Mapping)}
        for order, x in orders.items():
            said = order if first else f"{order}, {_SAID[order]}"
            rows.append([*first, Cell(said, order), *accuracy_cells(x, chance_of(data))])
        notes.append(_cost(name if len(runs) > 1 else "", data))
        notes += weights_note(name, runs, "orders")
        classes.append(class_table(name, orders, data))
    left = len(head) - 3
    table = Table("Accuracy by order of the frames", head, rows, left, wide=left + 1)
    blocks: list[object] = [*tests_note(tested), table, *notes]
    known = [x for x in classes if x]
    if known:
        blocks.append(Folded("Accuracy of every class", known))
    lead = f"{_lead(tested.values())} {chance_words(tested.values())}".strip()
    return Section("orders", "Frames out of order", blocks, lead)


def _lead(tested: Any) -> str:
    counts = {data.get("orders") for data in tested}
    drawn = f" Shuffled is the mean over {counts.pop()} random orders." if len(counts) == 1 else ""
    return (
        "A network that goes by motion must lose accuracy when the frames of its clips are "
        f"shuffled; one that goes by looks cannot notice. Reversed is played backwards, frozen the "
        f"middle frame repeated.{drawn}"
    )


def _cost(name: str, data: Mapping[str, Any]) -> Note:
    drop, (low, high) = number(data, "relative_drop"), span(data, "relative_drop_interval")
    whose = f"{name}: " if name else ""
    found = words.with_span(drop, low, high)
    cost = (
        f"shuffling costs {found} of the ordered accuracy"
        if found != words.NONE
        else "what shuffling costs is not known, as nothing was right in order"
    )
    text = f"{cost}, over {videos_words(data)}."
    return Note(f"{whose}{text}" if whose else f"{text[0].upper()}{text[1:]}")
