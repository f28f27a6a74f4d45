"""Facts of a video that are known before a frame is used: number, times and size of its frames."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from slowfast_bias.errors import DataError


class VideoError(DataError):
    """A video that cannot be read as requested; the message names the file. A ValueError."""


@dataclass(frozen=True)
class Timeline:
    """What choosing frames needs. Frames are counted from 0 in the order they are displayed."""

    frames: int
    fps: float  # the average rate; 0 if it is not known
    times: tuple[float, ...]  # seconds from the first frame to each

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self.times[-1] + (1 / self.fps if self.fps else 0.0)

    def at(self, seconds: float) -> int:
        """Returns the frame on screen at a time; the first or last one outside of the video."""
        return max(bisect_right(self.times, seconds + _ROUNDING) - 1, 0)

    def between(self, start: float, end: float) -> range:
        """Returns the frames that appear on screen from `start` to before `end`, in seconds."""
        return range(
            bisect_left(self.times, start - _ROUNDING), bisect_left(self.times, end - _ROUNDING)
        )


@dataclass(frozen=True)
class VideoInfo(Timeline):
    """A timeline and the format of the frames; width and height as displayed, after rotation."""

    width: int
    height: int
    rotation: int  # degrees counterclockwise that the frames are turned for display
    codec: str


Picks = Sequence[int] | Callable[[Timeline], Sequence[int]]
_ROUNDING = 1e-6  # time stamps are fractions; a user writes 0.033333


def resolve(path: str, picks: Picks, timeline: Timeline) -> list[int]:
    """Returns the frame numbers of `picks`; VideoError if the video has no such frame."""
    indices = [int(i) for i in (picks(timeline) if callable(picks) else picks)]
    if not indices:
        raise VideoError(f"Expected at least one frame to read from {path}, but got no number.")
    wrong = [i for i in indices if not 0 <= i < timeline.frames]
    if wrong:
        raise VideoError(
            f"Expected frames 0 to {timeline.frames - 1} of {path}, which has {timeline.frames}, "
            f"but got {wrong[0]}."
        )
    return indices


def even_times(frames: int, fps: float) -> tuple[float, ...]:
    """Returns the times of frames of equal duration; all 0 if the rate is not known."""
    return tuple(i / fps if fps else 0.0 for i in range(frames))


def shrink(image: np.ndarray, short_side: int) -> np.ndarray:
    """Returns an image (H, W, 3) shrunk to `short_side`; itself if that is 0, or if it is smaller.

    The long side is rounded down, as SlowFast does (datasets/transform.py).
    """
    height, width = image.shape[:2]
    short = min(height, width)
    if not 0 < short_side < short:
        return image
    size = (height * short_side // short, width * short_side // short)
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    small = F.interpolate(planes, size, mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0).numpy()


def stacked(path: str, images: Sequence[np.ndarray]) -> torch.Tensor:
    """Returns images (H, W, 3) as one tensor (T, H, W, 3); VideoError if the sizes differ."""
    for image in images:
        if image.shape != images[0].shape:
            (height, width), (h, w) = images[0].shape[:2], image.shape[:2]
            raise VideoError(
                f"Expected frames of one size in {path}, but got {width}x{height} and {w}x{h} px."
            )
    return torch.from_numpy(np.stack(images))
