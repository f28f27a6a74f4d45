"""A sweep: what a rate of dropout does, a line per kind and temperature."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Figure,
    Heading,
    Key,
    Panel,
    Section,
    Table,
    count_cell,
)
from slowfast_bias.visualization.html.charts.axis import Names
from slowfast_bias.visualization.html.charts.lines import Point, Series, line_panel
from slowfast_bias.visualization.reading.result_files import number
from slowfast_bias.visualization.reading.run_folder import RunFolder

Row = Mapping[str, Any]
Group = tuple[str, float | None]  # kind, temperature
PANELS = {  # number of a row -> title, factor that makes it percent
    "ordered": ("accuracy, ordered frames, %", 1),
    "shuffled": ("accuracy, shuffled frames, %", 1),
    "dynamic_ratio": ("dynamic-only among static- and dynamic-only units, %", 100),
    "dynamic_share": ("the same, weighted by the classifier, %", 100),
    "cue_motion": ("choices that follow motion in cue conflict, %", 1),
}
_KINDS = ("none", "standard", "static")


def sweep_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the dose response of every sweep, config by config."""
    swept = {name: run.rows for name, run in runs.items() if run.rows}
    if not swept:
        return None
    blocks: list[object] = []
    for name, rows in swept.items():
        configs = dict.fromkeys(str(row.get("config", "")) for row in rows)
        for config in configs:
            mine = [row for row in rows if str(row.get("config", "")) == config]
            title = f"{name}, {config}" if len(swept) > 1 else config
            if len(swept) > 1 or len(configs) > 1:
                blocks.append(Heading(title))
            blocks.append(_figure(title or name, mine))
    seeds = {row.get("seed") for rows in swept.values() for row in rows}
    many = (
        f"means over {words.count(len(seeds), 'seed')} at most, bars ± one standard deviation"
        if len(seeds) > 1
        else "one seed each, so without an error"
    )
    lead = f"The same training with every kind and rate of dropout. Lines are {many}; the dotted "
    return Section("sweep", "Sweep of dropout", blocks, f"{lead}line is no dropout.")


def _figure(name: str, rows: Sequence[Row]) -> Figure:
    groups = sorted({_group(row) for row in rows}, key=lambda g: (_KINDS.index(g[0]), g[1] or 0))
    lines = [group for group in groups if group[0] != "none"]
    looks = {group: _look(group, lines) for group in lines}
    rates = sorted({float(row["rate"]) for row in rows if _group(row) in lines})
    axis = Names({rate: f"{rate:g}" for rate in rates} or {0.0: ""}, "drop rate")
    panels = []
    for key, (title, scale) in PANELS.items():
        if any(math.isfinite(number(row, key)) for row in rows):
            series = [_line(rows, group, key, scale, looks[group]) for group in lines]
            base = _mean_sd(rows, ("none", None), None, key, scale)[0]
            levels = {"no dropout": base} if math.isfinite(base) else {}
            panels.append(Panel(title, line_panel(f"{title}, {name}", series, axis, levels=levels)))
    keys = [Key(group_words(group), looks[group], group[0] == "standard") for group in lines]
    return Figure(f"Dose response, {name}", panels, keys, _table(rows, groups))


def group_words(group: Group) -> str:
    """Returns the kind of dropout in words."""
    kind, temperature = group
    if kind == "none":
        return "no dropout"
    return (
        "standard dropout" if kind == "standard" else f"StaticDropout, temperature {temperature:g}"
    )


def _group(row: Row) -> Group:
    kind = row["kind"] if row["kind"] in _KINDS else "none"
    return kind, float(row["temperature"]) if kind == "static" else None


def _look(group: Group, lines: Sequence[Group]) -> str:
    static = [x for x in lines if x[0] == "static"]
    return "reference" if group[0] == "standard" else f"network{static.index(group) % 7}"


def _line(rows: Sequence[Row], group: Group, key: str, scale: float, look: str) -> Series:
    rates = sorted({float(row["rate"]) for row in rows if _group(row) == group})
    points = []
    for rate in rates:
        mean, sd = _mean_sd(rows, group, rate, key, scale)
        points.append(Point(rate, mean, mean - sd, mean + sd))
    return Series(group_words(group), points, look, dashed=group[0] == "standard")


def _mean_sd(
    rows: Sequence[Row], group: Group, rate: float | None, key: str, scale: float
) -> tuple[float, float]:
    members = [x for x in rows if _group(x) == group and (rate is None or float(x["rate"]) == rate)]
    known = [scale * v for x in members if math.isfinite(v := number(x, key))]
    if not known:
        return math.nan, math.nan
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else math.nan


def _table(rows: Sequence[Row], groups: Sequence[Group]) -> Table:
    shown = [key for key in PANELS if any(math.isfinite(number(row, key)) for row in rows)]
    cells: list[list[Cell | str]] = []
    for group in groups:
        rates = sorted({float(x["rate"]) for x in rows if _group(x) == group and x.get("rate")})
        for rate in rates or [None]:
            found = [_mean_sd(rows, group, rate, key, PANELS[key][1]) for key in shown]
            seeds = [x for x in rows if _group(x) == group and x.get("rate") == rate]
            text = Cell("–" if rate is None else f"{rate:g}", rate or 0.0)
            values = [Cell(words.with_error(*x, digits=1), x[0]) for x in found]
            cells.append([group_words(group), text, count_cell(len(seeds)), *values])
    head = ["dropout", "rate", "seeds", *(PANELS[key][0] for key in shown)]
    return Table("Means ± standard deviations over seeds", head, cells)
