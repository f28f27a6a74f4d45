"""Tasks: what is learnt and scored, chosen by BIAS.TASK."""

from __future__ import annotations

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.config import ConfigError
from slowfast_bias.engine.tasks.classification import Accuracy, Classification, ScoreTally
from slowfast_bias.engine.tasks.segmentation import ObjectSegmentation
from slowfast_bias.engine.tasks.task import Figures, Tally, Task, Verdicts
from slowfast_bias.engine.tasks.verdicts import VerdictTally
from slowfast_bias.models.families import family_of
from slowfast_bias.models.families.family import CLASSIFICATION, SEGMENTATION

__all__ = [
    "TASKS",
    "Accuracy",
    "Classification",
    "Figures",
    "ObjectSegmentation",
    "ScoreTally",
    "Tally",
    "Task",
    "VerdictTally",
    "Verdicts",
    "make_task",
    "task_class",
]

TASKS: dict[str, type] = {
    CLASSIFICATION: Classification,
    SEGMENTATION: ObjectSegmentation,
}


def make_task(cfg: CfgNode, model: nn.Module) -> Task:
    """Returns the task of BIAS.TASK for a network that is not wrapped for several processes."""
    return task_class(cfg)(cfg, family_of(model))


def task_class(cfg: CfgNode) -> type:
    """Returns the class of BIAS.TASK; ConfigError names those there are."""
    if cfg.BIAS.TASK not in TASKS:
        known = ", ".join(TASKS)
        raise ConfigError([f"BIAS.TASK: expected one of {known}, but got {cfg.BIAS.TASK!r}"])
    return TASKS[cfg.BIAS.TASK]
