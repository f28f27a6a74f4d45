"""Fig. 11, action recognition: what is left without the static, the dynamic, or random units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDERS = ("static", "dynamic", "random")


def tables(found: Found) -> list[Table]:
    """Returns accuracies, a row per network and share of silenced units."""
    columns = {"network, training data": -1, "layer": -1, "silenced units %": 0}
    columns |= {f"{order} first" if order != "random" else order: 1 for order in ORDERS}
    titles, rows = found.titles(), []
    for name, data in found.silencing().items():
        curves = {
            order: {point["fraction"]: point for point in data["curves"].get(order, [])}
            for order in ORDERS
        }
        for fraction in sorted({x for points in curves.values() for x in points}):
            points = (curves[order].get(fraction) for order in ORDERS)
            cells = ((x["accuracy"], *x["interval"]) if x else None for x in points)
            rows.append([titles[name], data["layer"], 100 * fraction, *cells])
    return [Table("Accuracy (%) with 95 % intervals", columns, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over the share of silenced units, a panel per network."""
    from slowfast_bias.visualization.figures.silencing import compare_ablations

    titles = found.titles()
    runs = {titles[name]: data for name, data in found.silencing().items()}
    return {"": compare_ablations(runs)} if runs else {}


PLAN = FigurePlan(
    "fig11",
    "accuracy without the most static, the most dynamic, or random units (its upper part, action "
    "recognition)",
    "Random units are drawn from all; the paper, where it says so (its lower part, fig11b here), "
    "draws them from those least biased to the layer's dominant factor. We do not know which "
    "layers and networks its upper part shows.",
    toy=("texture_slow", "both_slow", "motion_slow", "texture_fast", "both_fast", "motion_fast"),
    data=("kinetics_slow", "diving48_slow", "ssv2_slow",
          "kinetics_fast", "diving48_fast", "ssv2_fast"),
    tables=tables,
    draw=draw,
)  # fmt: skip
