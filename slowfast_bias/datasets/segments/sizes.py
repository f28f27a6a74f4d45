"""Sizes of frames; by turns: a batch of training in one of several sizes, as RTNet is trained.

Frames come in BIAS.SEGMENTS.SIZE, and a whole batch, with those of all processes, is made smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.segments.pictures import resized, resized_mask
from slowfast_bias.errors import DataError
from slowfast_bias.seeding import seed_from

Size = tuple[int, int]  # height and width


def frame_size(cfg: CfgNode) -> Size:
    """Returns BIAS.SEGMENTS.SIZE; DataError if it is no size."""
    size = list(cfg.BIAS.SEGMENTS.SIZE)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise DataError(
            f"Expected BIAS.SEGMENTS.SIZE to be height and width in pixels, but got {size}."
        )
    return size[0], size[1]


def draw_size(sizes: Sequence[Sequence[int]], seed: int) -> Size:
    """Returns one of several sizes at random; `seed` alone decides."""
    generator = torch.Generator().manual_seed(seed_from(seed))  # of no other draw
    height, width = sizes[int(torch.randint(len(sizes), (), generator=generator))]
    return height, width


def in_size(batch: Batch, size: Size) -> Batch:
    """Returns a batch of training of another size: pictures, flow, masks and weights."""
    truths = batch.targets
    return batch._replace(
        inputs=[_each(x.flatten(0, 1), size).unflatten(0, x.shape[:2]) for x in batch.inputs],
        targets=truths._replace(
            masks=[_mask(x, size) for x in truths.masks],
            others=[_each(x, size, _mask) for x in truths.others],
            weights=[_each(x, size, _map) for x in truths.weights],
        ),
    )


def _picture(x: torch.Tensor, size: Size) -> torch.Tensor:
    return torch.from_numpy(resized(x.numpy(), size))


def _mask(x: torch.Tensor, size: Size) -> torch.Tensor:
    return torch.from_numpy(resized_mask(x.numpy(), size))


def _map(x: torch.Tensor, size: Size) -> torch.Tensor:
    return torch.from_numpy(cv2.resize(x.numpy(), size[::-1]))


def _each(
    frames: torch.Tensor, size: Size, one: Callable[[torch.Tensor, Size], torch.Tensor] = _picture
) -> torch.Tensor:
    """Returns frames one by one in another size; of no frames those of none."""
    return torch.stack([one(x, size) for x in frames]) if frames.numel() else frames
