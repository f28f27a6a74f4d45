"""Fig. 3: the bias of every layer of networks of many designs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.bias import LayerBias
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.runs_data import KINETICS
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slowfast_bias.bias import BiasReport

_COLUMNS = {
    "network": -1, "layer": -1, "dynamic %": 1, "static %": 1, "S_static": 3, "S_dynamic": 3,
    "motion-only": 3, "content": 3,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns the shares of the paper and our scores, a row per network and layer."""
    titles = found.titles()
    rows = [
        [titles[name], layer, *_cells(bias)]
        for name, report in found.reports().items()
        for layer, bias in report.layers.items()
    ]
    return [Table("Bias by layer", _COLUMNS, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over layers, 3D CNNs, SlowFast variants and transformers side by side."""
    from slowfast_bias.visualization.figures.panels import design_panels

    reports = titled(found)
    if not reports:
        return {}
    return {"": design_panels(reports), "shares": design_panels(reports, "percent")}


def titled(found: Found) -> dict[str, BiasReport]:
    """Returns {title: measurement}."""
    titles = found.titles()
    return {titles[name]: report for name, report in found.reports().items()}


def score(layer: LayerBias, name: str) -> Cell:
    """Returns a score and its standard error; None if it was not measured."""
    return (layer.score(name), layer.score_error(name)) if name in layer.measured else None


def _cells(layer: LayerBias) -> list[Cell]:
    shares = layer.percent()
    scores = (score(layer, name) for name in ("static", "dynamic", "motion", "content"))
    return [shares["dynamic"], shares["static"], *scores]


PLAN = FigurePlan(
    "fig3",
    "bias by layer of networks for action recognition: 3D CNNs, SlowFast variants, transformers",
    "Pairs are made of the validation list by a generated bank of styles; the paper's are of "
    "Stylized ActivityNet. The shares of the paper are in fig3_shares.png; fig3.png has the "
    "scores behind them, and motion-only, which the paper has not.",
    toy=("motion_2d", "motion_c2d", "motion_i3d", "motion_slow", "motion_fast", "motion_slowfast"),
    data=tuple(plan.name for plan in KINETICS),
    tables=tables,
    draw=draw,
)  # fmt: skip
