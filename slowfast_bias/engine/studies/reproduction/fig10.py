"""Fig. 10, action recognition: bias while networks learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.studies.reproduction.fig3 import score
from slowfast_bias.engine.studies.reproduction.found import Found, last_layer
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = {
    "network, training data": -1, "when": -1, "epoch": 0, "dynamic %": 1, "static %": 1,
    "S_static": 3, "motion-only": 3,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns the last layer after the first measured epoch, after half of all, and at the end."""
    titles, rows = found.titles(), []
    for name, epochs in found.epochs().items():
        numbers = sorted(epochs)
        half = min(numbers, key=lambda n: abs(2 * n - numbers[-1]))
        for when, n in {"first": numbers[0], "half": half, "last": numbers[-1]}.items():
            rows.append([titles[name], when, n, *_cells(epochs[n])])
    return [Table("Last layer over training", _COLUMNS, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over epochs, a line per network; warnings stand on the page."""
    from slowfast_bias.visualization.figures.epochs import compare_epochs

    titles = found.titles()
    runs = {
        titles[name]: {n: without_warnings(report) for n, report in epochs.items()}
        for name, epochs in found.epochs().items()
    }
    return {"": compare_epochs(runs, "head")} if runs else {}


def without_warnings(report: BiasReport) -> BiasReport:
    """Returns a report whose warnings do not stand in the figure, but on the page."""
    return BiasReport(report.layers, {**report.meta, "warnings": []})


def _cells(report: BiasReport) -> list[Cell]:
    layer = last_layer(report)
    shares = layer.percent()
    return [shares["dynamic"], shares["static"], score(layer, "static"), score(layer, "motion")]


PLAN = FigurePlan(
    "fig10",
    "bias over the epochs of training (its upper part, action recognition). The paper: most "
    "networks come to their final biases in the first half of training",
    "We do not know which networks and data the paper's figure shows: these are those of fig7 that "
    "are trained here.",
    toy=("texture_slow", "both_slow", "motion_slow", "texture_fast", "both_fast", "motion_fast"),
    data=("diving48_slow", "ssv2_slow", "diving48_fast", "ssv2_fast"),
    tables=tables,
    draw=draw,
)
