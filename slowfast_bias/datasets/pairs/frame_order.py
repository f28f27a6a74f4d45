"""Frame orders: the one place that says how frames are brought into another order.

Shuffled, reversed and frozen clips, of training, measurement and test alike, and clips of a few of
their frames, are orders (B, T) of frame numbers, and `reorder`. A random order follows from (seed,
index of the video) alone, so that batch size, workers and processes change nothing.
Legend: B batch, C channels, T frames.
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


def window_shuffled(frames: int, window: int, seed: int, videos: Sequence[int]) -> torch.Tensor:
    """Returns random orders (B, T) in which no frame leaves its window, never the identity.

    Windows are the first `window` frames, the next ones and so on; the last may be shorter. One as
    long as the clip allows every order.
    """
    if window < 2 or frames < 2:
        raise ValueError(
            "Expected windows, and clips, of at least 2 frames, as one frame has no order, but got "
            f"windows of {window} in clips of {frames}."
        )
    return torch.stack([_window_order(frames, window, seed, int(video)) for video in videos])


def _window_order(frames: int, window: int, seed: int, video: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed_from(seed, video, 2, window))
    identity = torch.arange(frames)
    while True:
        parts = [
            part[torch.randperm(len(part), generator=generator)] for part in identity.split(window)
        ]
        order = torch.cat(parts)
        if not torch.equal(order, identity):
            return order


def reversed_order(frames: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) that play clips backwards."""
    return torch.arange(frames - 1, -1, -1).expand(clips, -1)


def frozen(frames: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) that show the middle frame throughout."""
    return single_frame(frames, frames // 2, clips)


def single_frame(frames: int, number: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) that show frame `number` throughout."""
    return torch.full((clips, frames), number)


def few_frames(frames: int, count: int, clips: int) -> torch.Tensor:
    """Returns the orders (B, T) of `count` different frames, evenly spread, each held in its turn.

    The clip is cut into `count` even parts, each of which shows its middle frame throughout. One is
    the frozen clip, T are the clip itself.
    """
    if not 1 <= count <= frames:
        raise ValueError(f"Expected 1 to {frames} frames of a clip, but got {count}.")
    ends = -(-torch.arange(count + 1) * frames // count)  # rounded up
    middles = (ends[:-1] + ends[1:]) // 2
    return middles.repeat_interleave(ends.diff()).expand(clips, -1)


def spread_frames(frames: int, count: int) -> list[int]:
    """Returns `count` frames, evenly spread, the middle one among them; all for 0 or too many."""
    count = count if 0 < count < frames else frames
    return sorted((frames // 2 + i * frames // count) % frames for i in range(count))


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
