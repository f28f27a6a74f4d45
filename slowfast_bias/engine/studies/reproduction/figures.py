"""All figures there are, and the runs that some of them need."""

from __future__ import annotations

from collections.abc import Sequence

from slowfast_bias.engine.studies.reproduction import (
    fig3,
    fig4,
    fig6,
    fig7,
    fig8,
    fig10,
    fig10b,
    fig11,
    fig11b,
    fig13,
    fig14,
    fig15,
    runs_data,
    runs_masks,
    runs_toy,
    table1,
)
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan, Plan, PlannedSweep

FIGURES = {
    x.PLAN.name: x.PLAN
    for x in (
        fig3,
        fig4,
        fig6,
        fig7,
        fig8,
        fig10,
        fig10b,
        fig11,
        fig11b,
        fig13,
        fig14,
        fig15,
        table1,
    )
}
RUNS = {
    "data": (*runs_data.RUNS, *runs_masks.DATA_RUNS),
    "toy": (*runs_toy.RUNS, *runs_masks.TOY_RUNS),
}


def plans_of(figure: FigurePlan, world: str) -> list[Plan]:
    """Returns the runs of a figure, in its order."""
    named = {plan.name: plan for plan in RUNS[world]}
    return [named[name] for name in (figure.toy if world == "toy" else figure.data)]


def plans_for(figures: Sequence[FigurePlan], world: str) -> list[Plan]:
    """Returns every run that these figures need, and those that others begin with, once."""
    needed = {plan.name for figure in figures for plan in plans_of(figure, world)}
    needed |= {_first(plan) for plan in RUNS[world] if plan.name in needed}
    return [plan for plan in RUNS[world] if plan.name in needed]


def _first(plan: Plan) -> str:
    """Returns the run whose weights a plan takes; "" if it needs none."""
    return plan.begins_with if isinstance(plan, PlannedSweep) else plan.weights_of
