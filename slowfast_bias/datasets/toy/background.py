"""A new background behind a clip's object: what was seen in front of it, and how it moves, stays.

What SCUBA does to real videos. The new background is independent of all that was there before, and
the object keeps shape, size and path. Its colour is mirrored if it was on the side of the new hue,
as in every clip: so a clip with a new background is one of the same world, and its colours tell
nothing about the background that it had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from slowfast_bias.datasets.toy.paint import TEXTURES, ToyFactors, far_colour


def with_new_background(
    factors: ToyFactors, between: Callable[[float, float], float]
) -> ToyFactors:
    """Returns factors with another background; `between` draws a number from low to high."""
    texture = int(between(0, len(TEXTURES)))
    hue = (texture + between(-0.15, 0.15)) / len(TEXTURES) % 1.0
    red, green, blue = factors.colour
    return replace(
        factors,
        texture=texture,
        hue=hue,
        brightness=between(-0.06, 0.06),
        shift=(between(-1, 1), between(-1, 1)),
        pitch=between(0.9, 1.1),
        colour=far_colour(hue, (red - 0.5, green - 0.5, blue - 0.5)),
    )
