"""Centre bias: how far the truth of a data set is known before a frame is seen. Legend: N, H W."""

from __future__ import annotations

import numpy as np

THRESHOLDS = tuple(k / 20 for k in range(1, 20))  # of the mean mask, relative to its largest value


def centroid(heat: np.ndarray) -> tuple[float, float]:
    """Returns x and y of a map's (H, W) centre of mass, 0 to 1; NaN if it is empty."""
    total = heat.sum()
    if not total > 0:
        return float("nan"), float("nan")
    places = [(np.arange(side) + 0.5) / side for side in heat.shape]
    y, x = (float(heat.sum(1 - k) @ place / total) for k, place in enumerate(places))
    return x, y


def central_share(heat: np.ndarray) -> float:
    """Returns the share of a map (H, W) in the middle quarter of the frame; NaN if it is empty.

    That is the rectangle of half its height and half its width: .25 if there is no bias.
    """
    weights = [_inside(side) for side in heat.shape]
    total = heat.sum()
    return float(weights[0] @ heat @ weights[1] / total) if total > 0 else float("nan")


def fixed_mask(masks: np.ndarray) -> tuple[float, float]:
    """Returns the mean J of the best constant mask, and its threshold.

    It is where the mean mask is above a threshold, of THRESHOLDS times its largest value: what a
    network that sees nothing would score.

    Args:
        masks: bool (N, H, W).
    """
    heat, found = masks.mean(0), (0.0, 1.0)
    for part in THRESHOLDS:
        mine = heat > part * heat.max()
        both, either = (masks & mine).sum((1, 2)), (masks | mine).sum((1, 2))
        found = max(found, (float((both / np.maximum(either, 1)).mean()), part * heat.max()))
    return found[0], float(found[1])


def _inside(side: int) -> np.ndarray:
    """Returns how much of each of `side` cells is in the middle half of a line."""
    edges = np.arange(side + 1) / side
    return np.diff(np.clip(edges, 0.25, 0.75)) * side
