"""The colour wheel with a gradient: flow (B, 2, T, H, W) as the picture that networks are given."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from slowfast_bias.datasets.flow.wheel import colour_wheel

_REST = 1e-6  # a speed at which a direction has no meaning, and no gradient


def coloured(flow: Tensor) -> Tensor:
    """Returns pictures (B, 3, T, H, W) in [0, 1]: a speed of 1 has the full colour, rest is white.

    The same colours as `datasets.flow.wheel.coded` with `largest` 1, before it rounds them.

    Args:
        flow: (B, 2, T, H, W), to the right and down, no longer than 1.
    """
    u, v = flow.unbind(1)
    squared = u.square() + v.square()
    rests = squared < _REST**2
    speed = torch.where(rests, 0.0, torch.where(rests, 1.0, squared).sqrt())
    angle = torch.atan2(-torch.where(rests, 0.0, v), -torch.where(rests, 1.0, u))
    wheel = torch.tensor(colour_wheel(), dtype=flow.dtype, device=flow.device)
    position = (angle / math.pi + 1) / 2 * (len(wheel) - 1)
    before = position.detach().long().clamp(max=len(wheel) - 1)
    share = (position - before).unsqueeze(-1)
    colour = (1 - share) * wheel[before] + share * wheel[(before + 1) % len(wheel)]
    return (1 - speed.unsqueeze(-1) * (1 - colour)).movedim(-1, 1)
