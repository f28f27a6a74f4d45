"""Contour accuracy F of the DAVIS benchmark: how well the outline of a mask is that of the truth.

Outlines are one pixel wide. A pixel of one is matched if the other is within a distance of 0.8 % of
the picture's diagonal, 8 pixels at 480 x 854. F is the harmonic mean of the matched shares.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

BOUND = 0.008  # of the diagonal


def contour_accuracy(mask: np.ndarray, truth: np.ndarray, bound: float = BOUND) -> float:
    """Returns F of a mask (H, W); 1 if neither has an outline, 0 if one of them has none.

    A mask that fills the picture has no outline, as an empty one has none: that is the benchmark's
    rule, and J tells them apart.
    """
    mask, truth = np.asarray(mask) != 0, np.asarray(truth) != 0
    if mask.shape != truth.shape or mask.ndim != 2:
        raise ValueError(
            f"Expected a mask and a truth of one shape (H, W), but got {mask.shape} and "
            f"{truth.shape}."
        )
    outlines = [boundary(x).view(np.uint8) for x in (mask, truth)]
    found, wanted = (int(outline.sum()) for outline in outlines)
    if not found or not wanted:
        return float(found == wanted)
    disc = _disc(math.ceil(bound * math.hypot(*mask.shape)))
    near = [cv2.dilate(outline, disc) for outline in outlines]
    precision = int((outlines[0] & near[1]).sum()) / found
    recall = int((outlines[1] & near[0]).sum()) / wanted
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary(mask: np.ndarray) -> np.ndarray:
    """Returns the outline of a mask, bool (H, W).

    A pixel is on it if its neighbour to the right, below, or both is on the other side; beyond the
    last row and column the picture goes on as it ends.
    """
    inside = np.asarray(mask) != 0
    beyond = np.pad(inside, ((0, 1), (0, 1)), mode="edge")
    right, below, both = beyond[:-1, 1:], beyond[1:, :-1], beyond[1:, 1:]
    return (inside != right) | (inside != below) | (inside != both)


@functools.lru_cache(maxsize=16)
def _disc(radius: int) -> np.ndarray:
    """Returns the pixels within a radius of the middle one, uint8 (2 r + 1, 2 r + 1)."""
    line = np.arange(-radius, radius + 1)
    return (line[:, None] ** 2 + line[None] ** 2 <= radius**2).astype(np.uint8)
