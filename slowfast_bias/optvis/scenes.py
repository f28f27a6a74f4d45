"""What is done to scenes: moved, reversed in time, rounded, and how rough they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# A difference of neighbours that costs 1: half of the range of colours, in 6.5 pixels.
STEP = 1 / 13


def shifted(scene: Sequence[Tensor], shifts: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Returns a scene whose rows are moved round the picture by (down, right) pixels each.

    All frames of a row move alike: moved one by one, they would show a motion.
    """
    return [
        torch.stack([row.roll(shift, (-2, -1)) for row, shift in zip(x, shifts, strict=True)])
        for x in scene
    ]


def reversed_in_time(scene: Sequence[Tensor]) -> list[Tensor]:
    """Returns a scene played backwards: its flow turns round as well."""
    clips, *flow = scene
    return [clips.flip(2), *(-x.flip(2) for x in flow)]


def quantised(scene: Sequence[Tensor]) -> list[Tensor]:
    """Returns a scene as a file keeps it: 256 levels of colour, flow in 16 bits."""
    clips, *flow = (x.detach() for x in scene)
    return [(clips * 255).round() / 255, *(x.half().float() for x in flow)]


def roughness(scene: Sequence[Tensor]) -> Tensor:
    """Returns (B,) the spatial variation: the mean squared difference of neighbours / STEP^2."""
    return sum(_squared(x, -1) + _squared(x, -2) for x in scene) / STEP**2


def motion(scene: Sequence[Tensor]) -> Tensor:
    """Returns (B,) the change over time: of the clip from frame to frame, and of flow its square.

    Flow is itself the change of a clip, so that what costs is its length.
    """
    clips, *flow = scene
    return (_squared(clips, 2) + sum(x.square().flatten(1).mean(1) for x in flow)) / STEP**2


def _squared(x: Tensor, axis: int) -> Tensor:
    if x.shape[axis] < 2:
        return x.new_zeros(len(x))
    return x.diff(dim=axis).square().flatten(1).mean(1)
