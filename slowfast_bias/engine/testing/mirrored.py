"""The mean of what a network makes of a frame and of its mirror image."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.engine.tasks import Task
from slowfast_bias.engine.testing.vote import Variants, as_filmed


class Mirrored:
    """The variants of a network of masks, which see every frame twice."""

    def __init__(self, task: Task, variants: Variants) -> None:
        self.task, self.variants = task, variants
        self.names, self.model = variants.names, variants.model

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the mean of both soft masks, (B, T, H, W), per variant."""
        plain, turned = (
            self.variants.outputs(x, device) for x in (batch, self.task.mirrored(batch))
        )
        return [(a + b.flip(-1)) / 2 for a, b in zip(plain, turned, strict=True)]


def with_mirror(task: Task, model: nn.Module) -> Mirrored:
    """Returns the one variant of a test with mirror images."""
    return Mirrored(task, as_filmed(task, model))
