"""Fig. 11, lower part: masks without the static, the dynamic, or random units of each fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.reproduction.fig11 import ORDERS
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import SILENCED, WHOLE
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table
from slowfast_bias.visualization.reading.silenced_layers import by_layer, score_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(found: Found) -> list[Table]:
    """Returns what is left, a row per network, layer and share of silenced units."""
    columns = {"network": -1, "layer": -1, "mostly": -1, "silenced units %": 0}
    for i, order in enumerate(ORDERS):
        columns[f"{order} first" if order != "random" else order] = 1
        columns[f"published{' ' * i}"] = 1
    rows = []
    for title, data in _runs(found).items():
        for part in by_layer({"": data}).values():
            rows += _rows(title, part, found.places.world == "data")
    made = [Table("J or mIoU (%) with 95 % intervals over sequences", columns, rows)]
    return [*made, published_table()] if found.places.world == "toy" else made


def published_table() -> Table:
    """Returns the published numbers by themselves."""
    columns = {"fusion of MATNet": 0, "silenced units %": 0}
    columns |= {f"{order} first" if order != "random" else order: 1 for order in ORDERS}
    rows = [
        [stage, percent, *(getattr(known, order) for order in ORDERS)]
        for (stage, percent), known in SILENCED.items()
    ]
    title = f"Published, mIoU of MoCA, {WHOLE} with all units: not comparable with toy numbers"
    return Table(title, columns, rows)


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over the share of silenced units, a panel per fusion, a figure per network."""
    from slowfast_bias.visualization.figures.silencing import ablation_figure

    titles, runs = found.titles(), found.silencing()
    first = next(iter(runs), "")
    return {
        "" if name == first else titles[name].rpartition(", ")[2]: ablation_figure(data)
        for name, data in runs.items()
    }


def _runs(found: Found) -> dict[str, dict[str, Any]]:
    titles = found.titles()
    return {titles[name]: data for name, data in found.silencing().items()}


def _rows(title: str, data: Mapping[str, Any], published: bool) -> list[list[Cell]]:
    curves = {
        order: {point["fraction"]: point for point in data["curves"].get(order, [])}
        for order in ORDERS
    }
    stage, rows = data["layer"].removeprefix("fuse"), []
    for fraction in sorted({x for points in curves.values() for x in points}):
        known = SILENCED.get((int(stage), round(100 * fraction))) if stage.isdecimal() else None
        cells: list[Cell] = []
        for order in ORDERS:
            point = curves[order].get(fraction)
            cells += [
                (point[score_of(data)], *_ends(point)) if point else None,
                getattr(known, order, None) if published else None,
            ]
        rows.append([title, data["layer"], data.get("dominant", "-"), 100 * fraction, *cells])
    return rows


def _ends(point: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float("nan") if x is None else x for x in point["interval"])


PLAN = FigurePlan(
    "fig11b",
    "mIoU of MATNet on MoCA without the most static, the most dynamic, or random units of each "
    "fusion (its lower part)",
    "Random units are drawn as the paper says, from those least biased to the layer's dominant "
    "factor. Units are ranked by a measurement on the tested data; the paper ranks them on DAVIS. "
    "Which of its curves is of which factor we take from its text. Toy numbers are J.",
    toy=("seg_conflict", "seg_camouflage", "seg_appearance"),
    data=("moca_matnet",),
    tables=tables,
    draw=draw,
)
