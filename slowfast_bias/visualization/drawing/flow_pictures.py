"""Flow as pictures: its components and speed as red, green and blue; its direction as a hue.

Both are relative to one largest speed that the caller gives, so that pictures drawn with the same
one can be compared: what is slow looks slow. Legend: H W space.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import hsv_to_rgb

_OFTEN = 99.5  # percent of pixels that are at most as fast as the full colour: one may be wild
_STILL = 1e-3  # pixels per frame


def largest_speed(flow: np.ndarray) -> float:
    """Returns the speed of the full colour for some flow (..., 2), and never 0."""
    speeds = np.hypot(*np.moveaxis(flow.astype(np.float32), -1, 0))
    return max(float(np.percentile(speeds, _OFTEN)), _STILL)


def components(flow: np.ndarray, largest: float) -> np.ndarray:
    """Returns flow (..., H, W, 2) as red (to the right), green (down) and blue (speed), uint8.

    At rest it is half red, half green and not blue.
    """
    x, y = np.moveaxis(flow.astype(np.float32) / largest, -1, 0)
    return _pixels(np.stack([(x + 1) / 2, (y + 1) / 2, np.hypot(x, y)], -1))


def directions(flow: np.ndarray, largest: float) -> np.ndarray:
    """Returns flow (..., H, W, 2) as colours of the direction wheel, uint8.

    The hue is the direction (red: right, lime: down, cyan: left, violet: up), the
    strength of the colour is the speed, and white is at rest.
    """
    x, y = np.moveaxis(flow.astype(np.float32) / largest, -1, 0)
    hue = np.arctan2(y, x) / (2 * np.pi) % 1
    full = hsv_to_rgb(np.stack([hue, np.ones_like(hue), np.full_like(hue, 0.92)], -1))
    speed = np.clip(np.hypot(x, y), 0, 1)[..., None]
    return _pixels(1 - speed * (1 - full))


def wheel(size: int) -> np.ndarray:
    """Returns the legend of `directions`: the colour of every direction and speed in a disc."""
    y, x = np.mgrid[:size, :size] / (size - 1) * 2 - 1
    picture = directions(np.stack([x, y], -1), 1.0)
    picture[np.hypot(x, y) > 1] = 255
    return picture


def _pixels(values: np.ndarray) -> np.ndarray:
    return (255 * np.clip(values, 0, 1)).round().astype(np.uint8)
