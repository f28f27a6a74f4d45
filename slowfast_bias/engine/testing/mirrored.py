"""The mean of what a network makes of a frame and of its mirror image."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.engine.tasks import Task
from slowfast_bias.models.families import family_of


class WithMirror:
    """A network of masks that sees every frame twice; one variant, called "ordered"."""

    names = ("ordered",)

    def __init__(self, task: Task, model: nn.Module) -> None:
        self.task, self.model, self._family = task, model, family_of(model)

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the mean of both soft masks, (B, T, H, W)."""
        plain, turned = (self._scores(x, device) for x in (batch, self.task.mirrored(batch)))
        return [(plain + turned.flip(-1)) / 2]

    def _scores(self, batch: Batch, device: torch.device) -> torch.Tensor:
        return self._family.scores(self._family.call(self.model, self.task.inputs(batch, device)))


def with_mirror(task: Task, model: nn.Module) -> WithMirror:
    """Returns the one variant of a test with mirror images."""
    return WithMirror(task, model)
