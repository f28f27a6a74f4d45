"""The colour wheel: flow as a picture, as networks of two streams are given it, and back.

The wheel is that of Baker et al. (Middlebury): 55 colours whose hue is the direction. A motion as
fast as the frame's fastest has the full colour, rest is white: speeds are relative to the frame,
and decoding gives no more than that. Legend: H W space.
"""

from __future__ import annotations

import functools
import math

import numpy as np

# From each corner of the wheel to the next: red, yellow, green, cyan, blue, magenta, red.
_CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))
_SPANS = np.array((15, 6, 4, 11, 13, 6))  # colours
_MOVES = (1, 0, 2, 1, 0, 2)  # the channel that changes
_RISES = np.array((True, False, True, False, True, False))  # whether it rises
_STARTS = np.cumsum(_SPANS) - _SPANS
_LAST = int(_SPANS.sum()) - 1  # the position of the last colour; a whole turn is from 0 to here
_SPAN_OF = np.array([[0, 5, 0], [2, 0, 1], [3, 4, 0]])  # [largest channel, smallest channel]
_SMALL = 1e-5  # added to the largest speed, so that a frame at rest can be divided by it


def coded(flow: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Returns the picture of a flow field, uint8 (H, W, 3) in RGB.

    Args:
        flow: (H, W, 2), to the right and down, finite.
        largest: the speed of the full colour; the frame's own largest if not given. Faster motion
            is darker.
    """
    u, v = (flow[..., k].astype(np.float64) for k in (0, 1))
    speed = np.hypot(u, v)
    speed /= speed.max(initial=0.0) + _SMALL if largest is None else largest
    position = (np.arctan2(-v, -u) / np.pi + 1) / 2 * _LAST
    before = position.astype(int)
    share = (position - before)[..., None]
    colours = colour_wheel()
    colour = (1 - share) * colours[before] + share * colours[(before + 1) % len(colours)]
    speed = speed[..., None]
    colour = np.where(speed <= 1, 1 - speed * (1 - colour), 0.75 * colour)
    return np.floor(255 * colour).astype(np.uint8)


def decoded(picture: np.ndarray) -> np.ndarray:
    """Returns the flow of a picture in units of the frame's largest speed, float32 (H, W, 2).

    It is exact to the picture's 8 bits: to about 0.01 of the largest speed. Colours that are not of
    the wheel, such as those of a compressed picture, are read as the nearest of their hue.

    Args:
        picture: uint8 (H, W, 3) in RGB.
    """
    values = np.minimum(
        (picture.astype(np.float64) + 0.5) / 255, 1
    )  # the middle of what is cut off
    smallest, middle, largest = np.moveaxis(np.sort(values, -1), -1, 0)
    speed = 1 - smallest
    share = (middle - smallest) / np.maximum(largest - smallest, 1e-9)
    span = _SPAN_OF[values.argmax(-1), values.shape[-1] - 1 - values[..., ::-1].argmin(-1)]
    along = np.where(_RISES[span], share, 1 - share) * _SPANS[span]
    angle = (np.minimum(_STARTS[span] + along, _LAST) / _LAST * 2 - 1) * np.pi
    return np.stack([-np.cos(angle) * speed, -np.sin(angle) * speed], -1).astype(np.float32)


def recoded(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Returns a picture of flow with every motion multiplied by a matrix (2, 2).

    The pixels stay where they are: whoever mirrors or turns a picture of flow calls this beside.
    """
    return coded(decoded(picture) @ np.asarray(matrix, dtype=np.float32).T, largest=1.0)


def mirrored(picture: np.ndarray, recode: bool = True) -> np.ndarray:
    """Returns a picture of flow, left and right exchanged, uint8 (H, W, 3).

    Args:
        picture: uint8 (H, W, 3).
        recode: whether the colours are those of the mirrored motion. Without it they keep the old
            direction, as MATNet trains and tests.
    """
    flipped = np.ascontiguousarray(picture[:, ::-1])
    return recoded(flipped, np.diag([-1.0, 1.0])) if recode else flipped


def turn_matrix(degrees: float) -> np.ndarray:
    """Returns the matrix that turns motion as a picture is turned, counter-clockwise as seen."""
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


@functools.lru_cache(maxsize=1)
def colour_wheel() -> np.ndarray:
    """Returns the wheel's colours, float64 (55, 3) in [0, 1]."""
    spans = []
    for corner, channel, rises, span in zip(_CORNERS, _MOVES, _RISES, _SPANS, strict=True):
        colours = np.tile(255.0 * np.array(corner), (span, 1))
        steps = np.floor(255 * np.arange(span) / span)
        colours[:, channel] = steps if rises else 255 - steps
        spans.append(colours)
    return np.concatenate(spans) / 255
