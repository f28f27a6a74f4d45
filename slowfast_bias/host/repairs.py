"""Replacements of host functions, each for one named defect, with the host's signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch


def topks_correct(
    scores: torch.Tensor, labels: torch.Tensor, ks: Sequence[int]
) -> list[torch.Tensor]:
    """Returns how many labels (B,) are among the k best of scores (B, classes), for each k.

    A k above the number of classes counts every class: with four classes "top 5" is always right.
    """
    best = scores.topk(min(max(ks), scores.shape[1]), dim=1).indices
    hits = best.eq(labels.view(-1, 1))
    return [hits[:, :k].any(dim=1).float().sum() for k in ks]


def whole_crop(random_crop: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a `random_crop` that also returns a pair if the image already has the wanted size."""

    def crop(images: torch.Tensor, size: int, boxes: Any = None) -> tuple[torch.Tensor, Any]:
        if images.shape[2] == size and images.shape[3] == size:
            return images, boxes
        return random_crop(images, size, boxes)

    return crop
