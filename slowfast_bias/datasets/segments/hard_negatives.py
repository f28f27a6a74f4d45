"""Hard negatives: edges that are none of the object, whose pixels weigh more in training.

Zhou et al. (MATNet) take the edges that another network finds (HED). Here they are pictures in
grey, one a frame, as that network writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.segments.masks import read_whole

_NEAR, _WIDE = np.ones((11, 11), np.uint8), np.ones((5, 5), np.uint8)


def pixel_weights(edges: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns the weights of pixels, float32 (H, W) from 1 to 2.

    Args:
        edges: uint8 (H, W), 255 where an edge is sure.
        mask: (H, W), not 0 inside.
    """
    near = cv2.dilate((mask != 0).astype(np.uint8), _NEAR)
    outside = np.where(near == 0, edges, 0).astype(np.uint8)
    return 1 + cv2.dilate(outside, _WIDE).astype(np.float32) / 255


def clip_weights(edges: Sequence[np.ndarray | None], masks: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the weights of the frames of a clip, float32 (T, H, W); of no pixels if all are 1.

    Args:
        edges: of each frame; None: all pixels of it weigh 1.
        masks: of each frame.
    """
    if all(each is None for each in edges):
        return np.zeros(0, np.float32)
    return np.stack([
        np.ones(mask.shape, np.float32) if each is None else pixel_weights(each, mask)
        for each, mask in zip(edges, masks, strict=True)
    ])  # fmt: skip


def read_edges(path: str) -> np.ndarray | None:
    """Returns the edges in a file, uint8 (H, W); None if it is not there; VideoError."""
    if not g_pathmgr.isfile(path):
        return None
    return np.array(read_whole(path, "a picture of edges").convert("L"))
