"""Readings: what a clip shows, without any network."""

from __future__ import annotations

import cmath
import math

import torch
from torch import Tensor


def shown_motion(clip: Tensor) -> int:
    """Returns the motion that a clip (3, T, H, W) shows: 0 round one way, 1 the other."""
    changes = (clip - clip.mean(1, keepdim=True)).square().sum(0)
    line = torch.linspace(-1, 1, clip.shape[-1])
    angle = torch.atan2(line[:, None], line[None])
    z = (changes * torch.polar(torch.ones_like(angle), angle)).sum((1, 2))
    return int(cmath.phase(complex((z[1:] * z[:-1].conj()).sum())) < 0)


def shown_texture(clip: Tensor) -> int:
    """Returns the texture whose hue a clip (3, T, H, W) has, of 4."""
    turns = torch.tensor([0.0, 1.0, 2.0]) * 2 * math.pi / 3
    colour = clip.mean((1, 2, 3))
    z = (colour * torch.polar(torch.ones(3), turns)).sum()
    return round(cmath.phase(complex(z)) / (2 * math.pi) * 4) % 4
