"""All figures there are, and the runs that some of them need."""

from __future__ import annotations

from collections.abc import Sequence

from slowfast_bias.engine.studies.reproduction import (
    fig3,
    fig6,
    fig7,
    fig10,
    fig11,
    fig13,
    fig14,
    runs_data,
    runs_toy,
)
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan, Plan, PlannedSweep

FIGURES = {x.PLAN.name: x.PLAN for x in (fig3, fig6, fig7, fig10, fig11, fig13, fig14)}
RUNS = {"data": runs_data.RUNS, "toy": runs_toy.RUNS}


def plans_of(figure: FigurePlan, world: str) -> list[Plan]:
    """Returns the runs of a figure, in its order."""
    named = {plan.name: plan for plan in RUNS[world]}
    return [named[name] for name in (figure.toy if world == "toy" else figure.data)]


def plans_for(figures: Sequence[FigurePlan], world: str) -> list[Plan]:
    """Returns every run that these figures need, and those that others begin with, once."""
    needed = {plan.name for figure in figures for plan in plans_of(figure, world)}
    needed |= {
        plan.begins_with
        for plan in RUNS[world]
        if isinstance(plan, PlannedSweep) and plan.name in needed
    }
    return [plan for plan in RUNS[world] if plan.name in needed]
