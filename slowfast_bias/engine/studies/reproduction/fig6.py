"""Fig. 6: the kinds of units in every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.bias import KINDS
from slowfast_bias.engine.studies.reproduction import fig3
from slowfast_bias.engine.studies.reproduction.found import Found, unit_shares
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(found: Found) -> list[Table]:
    """Returns the shares of the kinds of units, a row per network and layer."""
    columns = {"network": -1, "layer": -1, **{f"{kind} %": 1 for kind in KINDS}, "units": 0}
    rows = [
        [title, layer, *(unit_shares(bias)[kind] for kind in KINDS), bias.channels]
        for title, report in fig3.titled(found).items()
        for layer, bias in report.layers.items()
    ]
    return [Table("Kinds of units by layer", columns, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns stacked bars, a panel per network."""
    from slowfast_bias.visualization.figures.unit_bars import unit_bars

    reports = fig3.titled(found)
    return {"": unit_bars(reports)} if reports else {}


PLAN = FigurePlan(
    "fig6",
    "units that are static only, dynamic only, joint, or residual, by layer",
    "Runs, data and styles as in fig3. A unit is of a kind by its correlations, threshold 0.5.",
    toy=fig3.PLAN.toy,
    data=fig3.PLAN.data,
    tables=tables,
    draw=draw,
)
