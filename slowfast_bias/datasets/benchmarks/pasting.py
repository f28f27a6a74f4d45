"""Humans cut out of their videos: before a plain colour, or pasted into another video.

As HAT (Chung et al., NeurIPS 2022) makes its clips. A mask is a picture whose pixels above 128 are
of a human. Legend: T frames, H W space; places are (down, right), in pixels.
"""

from __future__ import annotations

import torch

from slowfast_bias.datasets.sampling.crops import resize

HUMAN = 128  # masks are brighter where a human is
MEAN = (123.675, 116.28, 103.53)  # of the data: what is around a human that is shown alone


def human_share(masks: torch.Tensor) -> float:
    """Returns which share of all pixels of masks (T, H, W) is of a human."""
    return float((masks > HUMAN).double().mean())


def human_alone(frames: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Returns frames (T, H, W, 3) with the mean of the data around the human, uint8."""
    around = torch.tensor(MEAN).round().to(torch.uint8)
    return torch.where(masks[..., None] > HUMAN, frames, around)


def pasted(
    frames: torch.Tensor, masks: torch.Tensor, scene: torch.Tensor, scene_masks: torch.Tensor
) -> torch.Tensor:
    """Returns a scene (T, h, w, 3) with the human of frames (T, H, W, 3) where its own one stood.

    The scene is resized to the short side of the frames. All frames of the human are moved alike,
    by the difference of the centres of both masks in the first frame; what leaves the picture is
    cut off.
    """
    size = _size_of_short_side(scene.shape[1:3], min(frames.shape[1:3]))
    out = resize(scene, size, smooth=True).clone()
    stood = resize(scene_masks[:1, ..., None], size, smooth=True)[0, ..., 0]
    down, right = (int(a - b) for a, b in zip(centre(stood), centre(masks[0]), strict=True))
    rows, from_rows = _overlap(down, frames.shape[1], size[0])
    columns, from_columns = _overlap(right, frames.shape[2], size[1])
    human = masks[:, from_rows, from_columns, None] > HUMAN
    region = out[:, rows, columns]
    out[:, rows, columns] = torch.where(human, frames[:, from_rows, from_columns], region)
    return out


def centre(mask: torch.Tensor) -> tuple[float, float]:
    """Returns the centre of mass of a mask (H, W); the middle of the picture if it is black."""
    height, width = mask.shape
    weights = mask.double()
    total = float(weights.sum())
    if not total:
        return height / 2, width / 2
    down = float((weights.sum(1) * torch.arange(height)).sum())
    right = float((weights.sum(0) * torch.arange(width)).sum())
    return down / total, right / total


def _size_of_short_side(size: tuple[int, int], short: int) -> tuple[int, int]:
    height, width = (round(side * short / min(size)) for side in size)
    return height, width


def _overlap(move: int, length: int, room: int) -> tuple[slice, slice]:
    """Returns which part of `room` something of a length covers if it is moved, and with what."""
    first, last = max(move, 0), max(min(move + length, room), 0)
    first = min(first, last)
    return slice(first, last), slice(first - move, last - move)
