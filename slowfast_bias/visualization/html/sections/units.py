"""Every unit of every layer, as marks that can be asked for, and how many are of which kind."""

from __future__ import annotations

from collections.abc import Mapping

from slowfast_bias.bias import KINDS, BiasReport, LayerBias
from slowfast_bias.visualization.drawing.captions import threshold_words
from slowfast_bias.visualization.drawing.layer_axis import by_stream, spread
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Figure,
    Folded,
    Key,
    Panel,
    Section,
    Table,
    count_cell,
)
from slowfast_bias.visualization.html.charts.scatter import KINDS as DRAWN
from slowfast_bias.visualization.html.charts.scatter import Units, unit_panel
from slowfast_bias.visualization.html.evidence import last_layer
from slowfast_bias.visualization.html.networks import networks_of
from slowfast_bias.visualization.reading.flow_words import change_of
from slowfast_bias.visualization.reading.run_folder import RunFolder

_SHOWN = 6  # panels of one network; the others are shown when asked for
_TITLES = {"static": "static-only", "dynamic": "dynamic-only"}


def units_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns a scatter per layer; of several networks the last layer of each."""
    reports = {x.name: x.report for x in networks_of(runs) if x.report}
    reports = {name: x for name, x in reports.items() if any(y.complete for y in x.layers.values())}
    if not reports:
        return None
    own = [name for name in reports if name in runs]
    several = len(own) > 1
    blocks: list[object] = []
    if several:
        blocks.append(_last_layers(reports))
    else:
        first, *others = reports
        blocks.append(_every_layer(first, reports[first]))
        blocks += [Folded(f"Units of {x}", [_every_layer(x, reports[x])]) for x in others]
    lead = (
        f"A mark is a unit. {threshold_words(reports.values())} {_kinds_words(reports)} "
        "Point at a mark, or go through them with the arrow keys."
    )
    return Section("units", "Unit by unit", blocks, lead)


def _kinds_words(reports: Mapping[str, BiasReport]) -> str:
    """Returns what units of each kind do."""
    changes = dict.fromkeys(change_of(report.meta) for report in reports.values())
    if None in changes:
        return (
            "Static-only units answer to what clips look like, dynamic-only units to how they "
            "move, joint units to both, residual units to neither."
        )
    changed = " or ".join(x.changed for x in changes if x)
    return (
        f"Static-only units stay the same with {changed} and change with another look of the "
        "image, dynamic-only units the other way round; joint units stay the same with either, "
        "residual units with neither."
    )


def _every_layer(name: str, report: BiasReport) -> Figure:
    layers = {x: layer for x, layer in report.layers.items() if layer.complete}
    panels = {x: _panel(x, x, layer) for x, layer in layers.items()}
    picks = spread(panels, _SHOWN)
    shown = [panels[x] for x in picks]
    more = [panels[x] for x in by_stream(panels) if x not in picks]
    rows = [(x, layer) for x, layer in layers.items()]
    return Figure(f"Units of {name}", shown, _keys(layers.values()), _table(rows), more)


def _last_layers(reports: Mapping[str, BiasReport]) -> Figure:
    layers = {name: last_layer(report) for name, report in reports.items()}
    found = {name: reports[name][x] for name, x in layers.items() if reports[name][x].complete}
    panels = [_panel(f"{name}: {layers[name]}", layers[name], x) for name, x in found.items()]
    rows = [(f"{name}: {layers[name]}", x) for name, x in found.items()]
    keys = _keys(found.values())
    return Figure("Units of the last layer", panels[:12], keys, _table(rows), panels[12:])


def _panel(title: str, name: str, layer: LayerBias) -> Panel:
    contrasts = {"motion", "look"} <= set(layer.measured)
    x, y = ("look", "motion") if contrasts else ("static", "dynamic")
    scores = {axis: layer.unit_scores(score) for axis, score in (("x", x), ("y", y))}
    live = ~(scores["x"].isnan() | scores["y"].isnan())
    kinds = {}
    for kind, units in layer.units().items():
        known = [unit for unit in units if live[unit]]
        if kind in DRAWN:
            kinds[kind] = Units(known, *(scores[axis][known].tolist() for axis in "xy"))
    titles = ("look-only", "motion-only") if contrasts else ("s_static", "s_dynamic")
    counts = words.listed([f"{len(kinds[kind].numbers)} {_word(kind)}" for kind in DRAWN[::-1]])
    said = (
        f"{words.count(layer.channels, 'unit')} of {title} by {titles[0]} and {titles[1]}: {counts}"
    )
    picture = unit_panel(said, kinds, titles, None if contrasts else layer.threshold)
    return Panel(f"{title} · {words.count(layer.channels, 'unit')}", picture, units=True)


def _word(kind: str) -> str:
    return _TITLES.get(kind, kind)


def _keys(layers: object) -> list[Key]:
    kinds = {kind for layer in layers for kind, units in layer.units().items() if units}
    return [Key(_word(kind), kind, mark_only=True) for kind in DRAWN[::-1] if kind in kinds]


def _table(layers: list[tuple[str, LayerBias]]) -> Table:
    rows: list[list[Cell | str]] = []
    for name, layer in layers:
        kinds = layer.units()
        alive = layer.channels - len(kinds["dead"])
        cells = [
            Cell(f"{len(kinds[kind])} ({words.percent(_share(kinds[kind], alive), 0)})",
                 len(kinds[kind]))
            if kind != "dead" else count_cell(len(kinds[kind]))
            for kind in KINDS
        ]  # fmt: skip
        rows.append([name, *cells, count_cell(layer.channels)])
    head = ["layer", *(_word(kind) for kind in KINDS), "units"]
    return Table("Kinds of units, with their share of live units", head, rows)


def _share(units: list[int], alive: int) -> float:
    return 100 * len(units) / alive if alive else float("nan")
