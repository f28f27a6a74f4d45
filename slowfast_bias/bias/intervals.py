"""Intervals of accuracies: Wilson's for a share, a paired bootstrap for the cost of a change."""

from __future__ import annotations

import math

import torch
from torch import Tensor

RESAMPLES = 1000  # of the bootstrap


def wilson(share: float, n: int, z: float = 1.96) -> list[float]:
    """Returns the 95 % interval, in percent, of a share seen in `n` trials."""
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(max(share * (1 - share), 0) / n + z * z / (4 * n * n))
    scale = 100 / (1 + z * z / n)
    return [max(scale * (centre - half), 0.0), min(scale * (centre + half), 100.0)]


def relative_drop(before: Tensor, after: Tensor, seed: int) -> tuple[float, list[float]]:
    """Returns the percent of accuracy that a change costs, and its 95 % interval.

    Both are NaN if nothing was right before.

    Args:
        before: (V,) hits of each video without the change, from 0 to 1.
        after: (V,) hits of the same videos with it.
        seed: of the bootstrap over the videos.
    """

    def drop(a: Tensor, b: Tensor) -> Tensor:
        return (100 * (1 - b / a)).where(a > 0, math.nan)

    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(len(before), (RESAMPLES, len(before)), generator=generator)
    drops = drop(before[picks].mean(1), after[picks].mean(1))
    drops = drops[drops.isfinite()]
    interval = [math.nan, math.nan]
    if len(drops):
        interval = torch.quantile(drops, torch.tensor([0.025, 0.975], dtype=drops.dtype)).tolist()
    return float(drop(before.mean(), after.mean())), interval
