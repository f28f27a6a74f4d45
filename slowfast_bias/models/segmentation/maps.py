"""Maps: frames of clips as a batch of pictures and back, and other sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def fold_frames(x: Tensor) -> Tensor:
    """Returns frames (B*T, C, H, W) of (B, C, T, H, W), those of one clip in a row."""
    return x.transpose(1, 2).flatten(0, 1)


def unfold_frames(x: Tensor, frames: int) -> Tensor:
    """Returns (B, C, T, H, W) of frames (B*T, C, H, W)."""
    return x.unflatten(0, (-1, frames)).transpose(1, 2)


def enlarge(x: Tensor, size: Sequence[int], corners: bool = False) -> Tensor:
    """Returns maps (N, C, H, W) of another size, bilinear.

    Args:
        x: maps (N, C, h, w).
        size: H and W.
        corners: whether the middles of the outermost places stay where they are.
    """
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=corners)
