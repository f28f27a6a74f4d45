"""The battery of masks as text: an aligned table for a log, and a page in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slowfast_bias import plain_table
from slowfast_bias.engine.testing.vote import counted
from slowfast_bias.visualization.reading.mask_answers import answers, said

Figures = Mapping[str, Any]
Rows = list[list[str]]


def mask_table(figures: Figures) -> str:
    """Returns the numbers as aligned text, what they say in words below."""
    lines = [_counts(figures), *(f"! {note}" for note in figures["meta"].get("notes", ()))]
    for _, rows in _tables(figures):
        lines += ["", *(line.rstrip() for line in plain_table.aligned(rows))]
    return "\n".join([*lines, "", *answers(figures)])


def mask_markdown(figures: Figures) -> str:
    """Returns the numbers as a page in Markdown."""
    lines = ["# Battery of exchanged image and flow", "", f"{_counts(figures)}, 95 % intervals."]
    lines += [f"\n> {note}" for note in figures["meta"].get("notes", ())]
    lines += ["", *(f"- {text}" for text in answers(figures))]
    for title, rows in _tables(figures):
        lines += ["", f"## {title}", "", *plain_table.markdown(rows)]
    return "\n".join(lines) + "\n"


def _counts(figures: Figures) -> str:
    frames, sequences = (counted(figures[x], x) for x in ("frames", "sequences"))
    return f"{frames} of {sequences}"


def _tables(figures: Figures) -> Iterator[tuple[str, Rows]]:
    yield "Masks of the frames", _scores(figures)
    followed = {n: x["follows"] for n, x in figures["variants"].items() if "follows" in x}
    if followed:
        yield "What masks follow", _followed(followed, figures)


def _scores(figures: Figures) -> Rows:
    rows = [["variant", f"{figures['measure']} %", "", "against own", "", ""]]
    for name, found in figures["variants"].items():
        against = found.get("against_own", {})
        change = _number(against["difference"], "+.2f") if against else ""
        ends = _span(against["interval"]) if against else ""
        rows.append([name, _number(found["mean"]), _span(found["interval"]), change, ends])
        rows[-1].append("" if name.startswith("look") else said(name))
    return rows


def _followed(followed: Mapping[str, Figures], figures: Figures) -> Rows:
    rows = [["variant", "J, flow's object", "", "J, image's object", "",
             "follow flow %", "", "follow image %", "", "pixels in flow's %", ""]]  # fmt: skip
    for name, x in followed.items():
        row = [name]
        for key in ("flow_J", "image_J", "flow_share", "image_share", "flow_pixels"):
            row += [_number(x[key]), _span(x[f"{key}_interval"])]
        rows.append(row)
    both = figures["overlap"]
    rows.append(["both objects", "100.00", "", _number(both["mean"]), _span(both["interval"])])
    rows[-1] += [""] * 6
    return rows


def _number(value: float, form: str = ".2f") -> str:
    return "-" if math.isnan(value) else format(value, form)


def _span(interval: Sequence[float], form: str = ".1f") -> str:
    low, high = interval
    return "-" if math.isnan(low) else f"[{low:{form}}, {high:{form}}]"
