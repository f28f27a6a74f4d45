"""Path similarity: is a made scene processed on its way as the unit's natural clips are?

A picture can drive a unit on a way that no natural clip takes (Geirhos et al. 2023). So the layers
before the unit's are compared: the cosine of their means, each channel in standard deviations from
its natural mean, between a scene and the average of the unit's natural top clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Features = Mapping[str, Tensor]


def path_similarity(
    made: Features, natural: Features, top: Sequence[int], layers: Sequence[str]
) -> list[float] | None:
    """Returns (B,) the similarity, a mean over layers; None without earlier layers.

    Args:
        made: {layer: (B, C)} of scenes.
        natural: {layer: (N, C)} of natural clips.
        top: which of them drive the unit most.
        layers: the layers before the unit's.
    """
    if not layers or not len(top):
        return None
    found = [_cosine(made[name], natural[name], top) for name in layers]
    return torch.stack(found).mean(0).tolist()


def _cosine(made: Tensor, natural: Tensor, top: Sequence[int]) -> Tensor:
    mean, deviation = natural.mean(0), natural.std(0, unbiased=False)
    lives = deviation > 0
    scaled = ((made - mean) / deviation)[:, lives]
    wanted = ((natural[list(top)].mean(0) - mean) / deviation)[lives]
    return torch.nn.functional.cosine_similarity(scaled, wanted[None], dim=1)
