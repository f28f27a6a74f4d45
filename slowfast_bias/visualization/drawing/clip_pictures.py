"""Still pictures of a clip, uint8 (T, H, W, 3): some of its frames, and a slice through its time.

A slice is one row of pixels in all frames, the first on top: what stands still is upright there,
what moves sideways is slanted, and steeper where it is slower.
"""

from __future__ import annotations

import numpy as np


def spread(frames: int, count: int) -> list[int]:
    """Returns the numbers of at most `count` frames, evenly spread."""
    count = min(frames, count)
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)]


def some_frames(clip: np.ndarray, count: int) -> list[np.ndarray]:
    """Returns at most `count` frames of a clip, evenly spread."""
    return [clip[i] for i in spread(len(clip), count)]


def busiest_row(clip: np.ndarray) -> int:
    """Returns the row of pixels that changes most over time; the middle one if none changes."""
    changes = clip.astype(np.float32).var(0).sum((1, 2))
    changes = np.convolve(changes, np.ones(5) / 5, "same")  # a row among others like it
    return int(changes.argmax()) if changes.max() > 0 else clip.shape[1] // 2


def time_slice(clip: np.ndarray, row: int) -> np.ndarray:
    """Returns one row of pixels of every frame, the first frame on top: (T, W, 3)."""
    return clip[:, row]


def enlarged(clip: np.ndarray, size: int) -> np.ndarray:
    """Returns a clip whose longer side is `size` pixels, (T, h, w, 3).

    Small ones are enlarged by whole pixels where that comes near, so that they stay sharp.
    """
    height, width = clip.shape[1:3]
    longest = max(height, width)
    if longest * 2 <= size:
        factor = size // longest
        return clip.repeat(factor, 1).repeat(factor, 2)
    if longest <= size:
        return clip
    from PIL import Image

    to = (max(1, round(width * size / longest)), max(1, round(height * size / longest)))
    frames = [Image.fromarray(x).resize(to, Image.Resampling.BOX) for x in clip]
    return np.stack([np.asarray(frame) for frame in frames])
