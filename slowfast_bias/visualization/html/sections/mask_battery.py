"""The battery of masks: what is left without image or flow, and which of the two masks follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Folded,
    Heading,
    Note,
    Section,
    Table,
    percent_cell,
)
from slowfast_bias.visualization.html.charts.bars import accuracy_bar
from slowfast_bias.visualization.html.sections.accuracies import weights_note
from slowfast_bias.visualization.html.sections.battery import difference_cells
from slowfast_bias.visualization.reading.mask_answers import answers, is_of_masks, said
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder

Content = Mapping[str, Any]
_FOLLOWED = {  # key of `follows` -> its column
    "flow_J": "J with the flow's object",
    "image_J": "J with the image's object",
    "flow_share": "sequences that follow flow",
    "image_share": "that follow the image",
    "flow_pixels": "pixels in the flow's object",
}


def mask_battery_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the answers, the scores of every variant, and what masks follow."""
    found = {name: run.battery for name, run in runs.items() if is_of_masks(run.battery)}
    if not found:
        return None
    blocks: list[object] = []
    for name, data in found.items():
        if len(runs) > 1:
            blocks.append(Heading(name))
        blocks += weights_note(name, runs, "battery")
        blocks += [Note(text) for text in answers(data)]
        blocks += _tables(data)
    lead = (
        "The network is given the image of one sequence with the flow of another, or one of the "
        "two is taken away. Numbers are means over sequences, with 95 % intervals over them; a "
        "sequence follows the object with which its masks have more in common."
    )
    return Section("battery", "Exchanged image and flow", blocks, lead)


def _tables(data: Content) -> list[object]:
    variants = {x: v for x, v in data["variants"].items() if isinstance(v, Mapping)}
    looks = {x: v for x, v in variants.items() if x.startswith("look")}
    main = {x: v for x, v in variants.items() if x not in looks}
    blocks: list[object] = [_scores("Masks with exchanged image and flow", main, data)]
    followed = {x: v["follows"] for x, v in variants.items() if v.get("follows")}
    if followed:
        blocks.append(_followed(followed))
        both = data.get("overlap") or {}
        text = words.with_span(number(both, "mean"), *span(both))
        blocks.append(Note(f"Both objects have a J of {text} with each other."))
    if looks:
        table = _scores("Masks in each look of the image", looks, data)
        blocks.append(Folded("Masks in each look of the image", [table]))
    counts = [words.count(int(number(data, x)), x[:-1]) for x in ("frames", "sequences")]
    return [*blocks, Note(f"Tested on {' of '.join(counts)}.")]


def _scores(caption: str, variants: Mapping[str, Content], data: Content) -> Table:
    rows = []
    for name, found in variants.items():
        value, (low, high) = number(found, "mean"), span(found)
        bar = accuracy_bar(value, low, high)
        row = [Cell(said(name), name), percent_cell(value), Cell("", value, bar)]
        row += [Cell(words.span(low, high), low), *difference_cells(found.get("against_own"))]
        rows.append(row)
    head = ["the network is given", str(data.get("measure", "J")), "", "95 % interval"]
    return Table(caption, [*head, "change, points", "its interval"], rows, 1, wide=2)


def _followed(followed: Mapping[str, Content]) -> Table:
    rows = []
    for name, found in followed.items():
        row = [Cell("one object of each kind" if name == "own" else said(name), name)]
        for key in _FOLLOWED:
            value = number(found, key)
            text = words.with_span(value, *span(found, f"{key}_interval"))
            row.append(Cell(text, value))
        rows.append(row)
    return Table("What masks follow", ["the network is given", *_FOLLOWED.values()], rows)
