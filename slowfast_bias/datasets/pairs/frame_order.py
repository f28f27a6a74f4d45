"""Frame orders: the one place that says how frames are brought into another order.

Shuffled, reversed and frozen clips, of training, measurement and test alike, are orders (B, T) of
frame numbers, and `reorder`. A random order follows from (seed, index of the video) alone, so that
batch size, workers and processes change nothing. Legend: B batch, C channels, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slowfast_bias.seeding import seed_from


def draw_order(frames: int, seed: int, video: int, pathway: int = 0) -> torch.Tensor:
    """Returns a random order (T,) for a video, never the identity, which few frames often give."""
    if frames < 2:
        raise ValueError(
            f"Expected clips of at least 2 frames, as one frame has no order, but got {frames}. "
            "Raise DATA.NUM_FRAMES, or lower SLOWFAST.ALPHA for a pathway of several frames."
        )
    generator = torch.Generator().manual_seed(seed_from(seed, video, 1, pathway))
    identity = torch.arange(frames)
    while True:
        order = torch.randperm(frames, generator=generator)
        if not torch.equal(order, identity):
            return order


def shuffled(frames: int, seed: int, videos: Sequence[int], number: int = 0) -> torch.Tensor:
    """Returns random orders (B, T), one per video; `number` tells several of one seed apart."""
    return torch.stack([draw_order(frames, seed, int(video), number) for video in videos])


def reversed_order(frames: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) that play clips backwards."""
    return torch.arange(frames - 1, -1, -1).expand(clips, -1)


def frozen(frames: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) that show the middle frame throughout."""
    return torch.full((clips, frames), frames // 2)


def reorder(x: torch.Tensor, orders: torch.Tensor, time: int = 2) -> torch.Tensor:
    """Returns each clip with its frames in its own order.

    Args:
        x: (B, C, T, H, W), or with another place of T.
        orders: (B, T) frame numbers.
        time: the axis of T in `x`.
    """
    orders = orders.to(x.device)
    pairs = zip(x, orders, strict=True)
    return torch.stack([clip.index_select(time - 1, order) for clip, order in pairs])


def random_frame(frames: int, seed: int, videos: Sequence[int]) -> torch.Tensor:
    """Returns the orders (B, T) that show one frame throughout, drawn for each video."""
    drawn = [
        torch.randint(
            frames, (), generator=torch.Generator().manual_seed(seed_from(seed, int(video), 3))
        )
        for video in videos
    ]
    return torch.stack(drawn)[:, None].expand(-1, frames)
