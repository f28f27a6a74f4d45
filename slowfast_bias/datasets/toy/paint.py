"""Renders the toy world: from a clip's factors to its pixels, analytically, with soft edges.

Space is measured in half-widths: x and y run from -1 to 1 across a frame, y downwards, so a clip
looks the same at every size. H W are pixels; 8 is the number of phases an object goes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from slowfast_bias.datasets.toy.motions import PHASES

TEXTURES = ("stripes", "checks", "dots", "rings")
SHAPES = ("disc", "square", "triangle", "ring")


@dataclass(frozen=True)
class ToyFactors:
    """Everything that decides a clip, all of it constant over the clip.

    Attributes:
        texture: static, 0 to 3, an index of `TEXTURES`.
        hue: static, 0 to 1 around the colour circle; within .0375 of `texture / 4`.
        motion: dynamic, a class of the world's motion.
        start: the phase of the first frame, 0 to 7.
        shape: joint, 0 to 3, an index of `SHAPES`: it survives restyling and shuffling.
        brightness: nuisance, as all below; added to the background.
        shift: x, y of the texture's origin.
        pitch: the texture's frequency, relative to its usual one.
        colour: the object's red, green, blue.
        radius: the object's, in half-widths.
        centre: x, y of the motion's middle.
        reach: the radius of an orbit.
        grain: the seed of the noise, of noise-coded motion, which shows nothing else.
    """

    texture: int
    hue: float
    motion: int
    start: int
    shape: int
    brightness: float
    shift: tuple[float, float]
    pitch: float
    colour: tuple[float, float, float]
    radius: float
    centre: tuple[float, float]
    reach: float
    grain: int = 0


def paint(factors: ToyFactors, shows: str, size: int) -> np.ndarray:
    """Returns the frames of the 8 phases in order, uint8 (8, H, W, 3).

    `shows` is what the phase changes: the object's "place" on a circle, or its "size".
    """
    # faint on purpose: at .10 and .20 a small network does not learn the object in 128 steps
    pattern = 0.07 * _texture(factors, size)[..., None]
    ground = 0.5 + factors.brightness + 0.15 * _chroma(factors.hue) + pattern
    ground = ground.astype(np.float32)
    cover = _object(factors, shows, size)[..., None]
    frames = ground + cover * (np.array(factors.colour, dtype=np.float32) - ground)
    frames *= 255
    frames += 0.5  # the cast to integers truncates
    return frames.astype(np.uint8)


def far_colour(hue: float, direction: tuple[float, float, float]) -> tuple[float, float, float]:
    """Returns a vivid colour along `direction` from grey, mirrored if on the side of `hue`.

    A network that can find the object by one colour does so, and then misses the motion in the next
    style: with white objects, networks trained on motion were measured as static.
    """
    away = np.array(direction)
    if away @ _chroma(hue) > 0:
        away = -away
    red, green, blue = (0.5 + 0.48 * away / np.abs(away).max()).tolist()
    return red, green, blue


def _chroma(hue: float) -> np.ndarray:
    """Returns a hue's direction from grey, (3,)."""
    return np.cos(2 * np.pi * (hue - np.arange(3) / 3))


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns x (1, W) and y (H, 1) of the pixels' middles."""
    line = ((np.arange(size) + 0.5) * 2 / size - 1).astype(np.float32)
    return line[None, :], line[:, None]


def _texture(factors: ToyFactors, size: int) -> np.ndarray:
    """Returns the background's pattern, float32 (H, W) in -1 to 1, its edges two pixels wide."""
    x, y = _grid(size)
    x, y = x + np.float32(factors.shift[0]), y + np.float32(factors.shift[1])
    wave = 14.0 * factors.pitch
    name = TEXTURES[factors.texture]
    if name == "stripes":
        field = np.sin(0.7 * wave * (x + y))
    elif name == "checks":
        field = np.sin(0.7 * wave * x) * np.sin(0.7 * wave * y)
    elif name == "dots":
        field = np.cos(wave * x) + np.cos(wave * y) - 0.6
    else:
        field = np.sin(wave * np.sqrt(x * x + y * y))
    return np.clip(field * (size / (2 * wave)), -1, 1)


def _object(factors: ToyFactors, shows: str, size: int) -> np.ndarray:
    """Returns how much of each pixel the object covers, float32 (8, H, W) in 0 to 1."""
    turn = 2 * np.pi * np.arange(PHASES) / PHASES
    offset, radius = np.zeros((2, PHASES)), np.full(PHASES, factors.radius)
    if shows == "place":
        offset = factors.reach * np.stack([np.cos(turn), np.sin(turn)])
    else:
        radius = radius * (0.4 + 0.25 * np.arange(PHASES))
    # one phase a row, ready to spread over H and W
    middle = (offset + np.array(factors.centre)[:, None]).astype(np.float32)[..., None, None]
    radius = radius.astype(np.float32)[:, None, None]
    x, y = _grid(size)
    outside = _outside(SHAPES[factors.shape], x - middle[0], y - middle[1], radius)
    return np.clip(0.5 - outside * (size / 2), 0, 1)


def _outside(shape: str, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Returns the approximate distance of points from a shape, negative inside, (8, H, W)."""
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.9 * radius
    if shape == "triangle":
        return np.maximum(y, np.float32(0.75**0.5) * np.abs(x) - 0.5 * y) - 0.66 * radius
    away = np.sqrt(x * x + y * y)
    return away - radius if shape == "disc" else np.abs(away - 0.72 * radius) - 0.33 * radius
