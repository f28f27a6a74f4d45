"""Training's changes of a frame: mirrored, turned, scaled; image, flow and mask alike.

The colours of a picture of flow are directions, so that the mirror image of one is no flow of the
mirrored scene. "recode" sets the colours right; "picture" leaves them, as MATNet does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.flow.wheel import recoded, turn_matrix
from slowfast_bias.errors import DataError


@dataclass(frozen=True)
class Changes:
    """What may be done.

    Attributes:
        flip: "none", "recode" or "picture".
        turn: the largest angle in degrees, either way.
        scale: the smallest and the largest factor.
    """

    flip: str = "recode"
    turn: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(cls, cfg: CfgNode) -> Changes:
        """Returns those of BIAS.SEGMENTS; DataError if they are none."""
        keys = cfg.BIAS.SEGMENTS
        scale = [x for x in keys.SCALE if isinstance(x, (int, float))]
        if len(scale) != 2 or len(keys.SCALE) != 2 or not 0 < scale[0] <= scale[1]:
            raise DataError(
                "Expected BIAS.SEGMENTS.SCALE to be two factors above 0, the lower one first, but "
                f"got {list(keys.SCALE)}."
            )
        return cls(keys.FLIP, keys.TURN, (scale[0], scale[1]))

    def draw(self) -> Change:
        """Returns one change, drawn from torch's generator, which the loader seeds."""
        flip, turn, scale = torch.rand(3, dtype=torch.float64).tolist()
        low, high = self.scale
        return Change(
            mirror=self.flip != "none" and flip < 0.5,
            turn=self.turn * (2 * turn - 1),
            scale=low + (high - low) * scale,
            recode=self.flip != "picture",
        )


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        mirror: whether left and right are exchanged, before the turn.
        turn: degrees, counter-clockwise.
        scale: the factor, about the middle.
        recode: whether the colours of flow follow.
    """

    mirror: bool = False
    turn: float = 0.0
    scale: float = 1.0
    recode: bool = True

    def image(self, picture: np.ndarray) -> np.ndarray:
        """Returns an image, uint8 (H, W, 3), changed; black beyond its edges."""
        return self._moved(picture, cv2.INTER_CUBIC, 0)

    def flow(self, picture: np.ndarray) -> np.ndarray:
        """Returns a picture of flow, uint8 (H, W, 3), changed; at rest, white, beyond its edges.

        Without recoding it is handled as an image, black beyond the edges, as MATNet does.
        """
        if not self.recode:
            return self.image(picture)
        matrix = turn_matrix(self.turn) @ np.diag([-1.0 if self.mirror else 1.0, 1.0])
        moved = self._moved(picture, cv2.INTER_LINEAR, 255)
        return moved if np.array_equal(matrix, np.eye(2)) else recoded(moved, matrix)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Returns a mask (H, W), changed; empty beyond its edges."""
        return self._moved(mask, cv2.INTER_NEAREST, 0)

    def _moved(self, picture: np.ndarray, how: int, beyond: int) -> np.ndarray:
        if self.mirror:
            picture = np.ascontiguousarray(picture[:, ::-1])
        if math.isclose(self.scale, 1) and math.isclose(self.turn, 0):
            return picture
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.turn, self.scale)
        border = (beyond,) * 3 if picture.ndim == 3 else beyond
        return cv2.warpAffine(picture, matrix, (width, height), flags=how, borderValue=border)
