"""Stochastic depth: in training, a residual branch is left out for some clips of the batch.

Huang et al., "Deep Networks with Stochastic Depth", https://arxiv.org/abs/1603.09382.
"""

from __future__ import annotations

import torch
from torch import nn


def drop_path(x: torch.Tensor, rate: float, training: bool) -> torch.Tensor:
    """Returns `x` (B, ...) with the rows of some clips at zero; the identity in evaluation.

    Args:
        x: what a branch adds.
        rate: probability that a row is zero; kept rows are divided by 1 - rate.
        training: whether to drop at all.
    """
    if not training or rate == 0:
        return x
    kept = x.new_empty(len(x), *[1] * (x.ndim - 1)).bernoulli_(1 - rate)
    return x / (1 - rate) * kept  # so that the mean stays the same


class DropPath(nn.Module):
    """`drop_path` with a fixed rate."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns `x` (B, ...), in training with some rows at zero."""
        return drop_path(x, self.rate, self.training)

    def extra_repr(self) -> str:
        """Returns the rate, for a printed model."""
        return f"rate={self.rate}"
