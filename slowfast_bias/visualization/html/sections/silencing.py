"""Silenced units: the score that is left without the most static or most dynamic ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slowfast_bias.visualization.drawing.bands import chance_of
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Figure,
    Key,
    Panel,
    Section,
    Table,
    count_cell,
    percent_cell,
)
from slowfast_bias.visualization.html.charts.axis import Names, Span
from slowfast_bias.visualization.html.charts.lines import Point, Series, line_panel
from slowfast_bias.visualization.html.palette import MARKERS
from slowfast_bias.visualization.html.sections.accuracies import weights_note
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder
from slowfast_bias.visualization.reading.silenced_layers import by_layer, score_of


def silencing_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns a panel per run and layer: the score over the share of silenced units."""
    found = {name: run.silencing for name, run in runs.items() if run.silencing}
    if not found:
        return None
    whole = found
    found = by_layer(found if len(found) > 1 else {"": next(iter(found.values()))})
    panels = [_panel(name, data) for name, data in found.items()]
    orders = dict.fromkeys(order for data in found.values() for order in data["curves"])
    keys = [Key(order_words(order), _look(order)) for order in orders]
    figure = Figure(f"{_scores(found)} without some units", panels, keys, _table(found))
    lead = (
        "Units of one layer are set to zero, the most static, the most dynamic or random ones "
        "first. What breaks the network soonest is what it relies on. Bands are 95 % intervals."
    )
    if any("least_biased" in str(data["meta"].get("random_from")) for data in found.values()):
        lead += " Random units are of those least biased to the layer's dominant factor."
    if any(chance_of(data) for data in found.values()):
        lead += " The dotted line is a guess."
    notes = [note for name in whole for note in weights_note(name, runs, "silencing")]
    return Section("silencing", "Silenced units", [*notes, figure], lead)


def order_words(order: str) -> str:
    """Returns which units go first."""
    return order if order == "random" else f"most {order} first"


def _look(order: str) -> str:
    return order if order in MARKERS else "joint"


def _panel(name: str, data: Mapping[str, Any]) -> Panel:
    layer, units = data["layer"], words.count(data["channels"], "unit")
    title = f"{layer}, {units}"
    series = [
        Series(order_words(order), _points(points, score_of(data)), _look(order), band=True)
        for order, points in data["curves"].items()
    ]
    shares = sorted({point.x for line in series for point in line.points})
    last = shares[-1] if shares else 100.0
    step = 10 if last <= 50 else 25
    ticks = {float(x): f"{x}" for x in range(0, 101, step) if x <= last}
    chance = chance_of(data)
    picture = line_panel(
        f"{_named(score_of(data))} without units of {title}",
        series,
        Names(ticks, "silenced units in percent", tuple(shares)),
        Span(-3, 103),
        levels={"a guess": chance} if chance else {},
    )
    run = "" if name == layer else name.removesuffix(f", {layer}")
    return Panel(f"{run}: {title}" if run else title, picture)


def _points(points: Sequence[Mapping[str, Any]], score: str) -> list[Point]:
    ordered = sorted(points, key=lambda point: point["fraction"])
    return [Point(100 * x["fraction"], number(x, score), *span(x)) for x in ordered]


def _table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    rows: list[list[Cell | str]] = []
    for name, data in found.items():
        for order, points in data["curves"].items():
            for x in points:
                low, high = span(x)
                row = [*([name] if len(found) > 1 else []), order_words(order)]
                row += [percent_cell(100 * x["fraction"], 0), count_cell(x.get("units"))]
                row += [percent_cell(number(x, score_of(data))), Cell(words.span(low, high), low)]
                rows.append([*row, _spread(x)])
    first = "layer" if all(name == data["layer"] for name, data in found.items()) else "run"
    head = [*([first] if len(found) > 1 else []), "order", "silenced", "units", _scores(found)]
    left = 2 if len(found) > 1 else 1
    head += ["95 % interval", "spread over seeds"]
    return Table(f"{_scores(found)} without some units", head, rows, left)


def _scores(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the name of what is left, of all runs."""
    return ", ".join(dict.fromkeys(_named(score_of(data)) for data in found.values()))


def _named(score: str) -> str:
    return "Accuracy" if score == "accuracy" else score


def _spread(point: Mapping[str, Any]) -> Cell:
    value = number(point, "spread")
    return Cell(words.score(value, 1), value)
