"""A new background behind a clip's object: what was seen in front of it, and how it moves, stays.

What SCUBA does to real videos. The new texture is independent of the old one and of the motion:
whoever knows the class by the background is right by chance alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from slowfast_bias.datasets.toy.paint import TEXTURES, ToyFactors


def with_new_background(
    factors: ToyFactors, between: Callable[[float, float], float]
) -> ToyFactors:
    """Returns factors with another texture, hue, brightness, shift and pitch, all drawn anew."""
    texture = int(between(0, len(TEXTURES)))
    return replace(
        factors,
        texture=texture,
        hue=(texture + between(-0.15, 0.15)) / len(TEXTURES) % 1.0,
        brightness=between(-0.06, 0.06),
        shift=(between(-1, 1), between(-1, 1)),
        pitch=between(0.9, 1.1),
    )
