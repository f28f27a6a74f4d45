"""Boxes from masks, and their overlap: what MoCA is scored with, since it has boxes and no masks.

Threshold, flip and the choice of a rectangle move the mean overlap by two to three points, so a
`BoxRule` goes with every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np

RECTANGLES = ("most inside", "largest")
Box = tuple[float, float, float, float]  # x, y of a corner, x, y of the opposite one


@dataclass(frozen=True)
class BoxRule:
    """How a soft mask becomes a box. The defaults are those of the paper's numbers.

    Attributes:
        threshold: a pixel above it is inside, from 0 to 1.
        flip: whether the mask is the mean of the picture's and of its mirror image's; the mask
            comes so or not, this only says it.
        rectangle: of several regions, whose rectangle is taken: the one with "most inside" (pixels
            of any region), or the "largest" (motiongrouping's).
        invert: whether a mask that covers more than half of the border is turned inside out first.
    """

    threshold: float = 0.2
    flip: bool = False
    rectangle: str = "most inside"
    invert: bool = True

    def __post_init__(self) -> None:
        if self.rectangle not in RECTANGLES or not 0 <= self.threshold < 1:
            raise ValueError(
                f"Expected a rectangle of {RECTANGLES} and a threshold from 0 to below 1, but got "
                f"{self.rectangle!r} and {self.threshold}."
            )

    def about(self) -> dict[str, float | bool | str]:
        """Returns what must stand beside every number."""
        return asdict(self)


def mask_box(mask: np.ndarray, rule: BoxRule, size: tuple[int, int] | None = None) -> Box | None:
    """Returns the box of a soft mask; None if nothing of it is inside.

    Args:
        mask: (H, W) in [0, 1], or uint8.
        rule: how.
        size: height and width of the picture that the truth is drawn on, if not those of the mask.
    """
    grey = np.asarray(mask)
    grey = grey.astype(np.float64) / (255 if grey.dtype == np.uint8 else 1)
    if rule.invert and _on_border(grey > 0.5) > 0.5:
        grey = 1 - grey
    inside = (grey > rule.threshold).astype(np.uint8)
    count, _, found, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return None
    x, y, w, h = max(found[1:, :4].tolist(), key=lambda r: _weight(inside, r, rule.rectangle))
    height, width = size or inside.shape
    wide, high = width / inside.shape[1], height / inside.shape[0]
    return x * wide, y * high, (x + w) * wide, (y + h) * high


def box_overlap(box: Box | None, truth: Sequence[float]) -> float:
    """Returns intersection over union of two boxes; 0 for no box."""
    if box is None:
        return 0.0
    wide = min(box[2], truth[2]) - max(box[0], truth[0])
    high = min(box[3], truth[3]) - max(box[1], truth[1])
    both = max(0.0, wide) * max(0.0, high)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, truth)]
    return both / (sum(areas) - both) if both else 0.0


def _on_border(inside: np.ndarray) -> float:
    """Returns the share of a picture's outermost pixels that are inside."""
    border = np.ones(inside.shape, bool)
    border[1:-1, 1:-1] = False
    return float(inside[border].mean())


def _weight(inside: np.ndarray, rectangle: Sequence[int], rule: str) -> int:
    x, y, w, h = rectangle
    return w * h if rule == "largest" else int(inside[y : y + h, x : x + w].sum())
