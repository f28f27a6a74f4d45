"""Numbers of a scene that need no network: how much it changes, how far and which way it moves.

Flow is OpenCV's DIS, or the scene's own if the network has a stream for it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from slowfast_bias.datasets.flow.dis import SMALLEST, dis_flow

_STILL = 1e-6  # mean speed below which there is no direction


class Moved(NamedTuple):
    """How one scene moves.

    Attributes:
        frame_difference: root mean square of the change from frame to frame, colours in [0, 1].
        flow_magnitude: mean length of the flow; NaN if the frames are too small for DIS.
        direction_spread: 0 if all flow has one direction, 1 if directions cancel; NaN at rest.
    """

    frame_difference: float
    flow_magnitude: float
    direction_spread: float


def moved(clip: Tensor, flow: Tensor | None = None) -> Moved:
    """Returns how a scene moves.

    Args:
        clip: (3, T, H, W) in [0, 1].
        flow: (2, T, H, W), the scene's own; if not given it is computed, in pixels.
    """
    fields = flow.numpy() if flow is not None else flow_of(clip)
    difference = float(clip.diff(dim=1).square().mean().sqrt()) if clip.shape[1] > 1 else 0.0
    return Moved(difference, *magnitude_and_spread(fields))


def flow_of(clip: Tensor) -> np.ndarray:
    """Returns the flow of a clip (3, T, H, W) in [0, 1], (2, T - 1, H, W) in pixels, by DIS."""
    if min(clip.shape[2:]) < SMALLEST or clip.shape[1] < 2:
        return np.zeros((2, 0, *clip.shape[2:]), np.float32)
    frames = (clip * 255).round().byte().permute(1, 2, 3, 0).contiguous().numpy()
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    found = [dis_flow(*pair) for pair in zip(grey, grey[1:], strict=False)]
    return np.stack(found).transpose(3, 0, 1, 2)


def magnitude_and_spread(fields: np.ndarray) -> tuple[float, float]:
    """Returns the mean length of flow (2, ...) and how far its directions spread.

    The spread is 1 - |sum of all vectors| / sum of their lengths.
    """
    if not fields.size:
        return math.nan, math.nan
    x, y = fields.astype(np.float64).reshape(2, -1)
    lengths = np.hypot(x, y)
    if lengths.mean() < _STILL:
        return float(lengths.mean()), math.nan
    return float(lengths.mean()), float(1 - math.hypot(x.sum(), y.sum()) / lengths.sum())
