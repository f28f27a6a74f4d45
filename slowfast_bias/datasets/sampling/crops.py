"""Views of frames: scaled, cropped and mirrored as SlowFast does, in uint8 until the very end.

Enlarging is torch's bilinear `interpolate` on uint8; the decoder shrinks, with smoothing. Random
numbers come from torch's own generator, which the loader seeds for every clip.
Shapes: B clips, T frames, H W space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch.nn import functional as F

# Frames longer than this many times their short side are cut around the crop before they are
# enlarged: 10000 x 16 pixels would become 160000 x 256.
_ELONGATED = 4


@dataclass(frozen=True)
class Crop:
    """Frames with their short side at `scale`, from which a square of `size` is taken.

    Attributes:
        scale: of the short side, in pixels.
        size: of the square, in pixels.
        across: its place along the long side, from 0 (left, or top) to 1.
        down: its place along the short side.
        mirrored: whether left and right are exchanged.
    """

    scale: int
    size: int
    across: float = 0.5
    down: float = 0.5
    mirrored: bool = False

    def of(self, frames: torch.Tensor) -> torch.Tensor:
        """Returns the view (T, size, size, 3) of frames (T, H, W, 3), uint8."""
        frames, across = _surroundings(frames, self)
        height, width = frames.shape[1:3]
        short = min(height, width)
        frames = resize(frames, (height * self.scale // short, width * self.scale // short))
        height, width = frames.shape[1:3]
        down, right = (across, self.down) if height > width else (self.down, across)
        top, left = offset(height - self.size, down), offset(width - self.size, right)
        view = frames[:, top : top + self.size, left : left + self.size]
        return view.flip(2) if self.mirrored else view


@dataclass(frozen=True)
class Region:
    """A part of the frames, of any shape, resized to a square of `size`.

    Attributes:
        size: of the square, in pixels.
        area: share of the frame.
        ratio: width by height.
        across: place of the part from left to right, from 0 to 1.
        down: place from top to bottom.
        mirrored: whether left and right are exchanged.
    """

    size: int
    area: float
    ratio: float
    across: float
    down: float
    mirrored: bool = False

    def of(self, frames: torch.Tensor) -> torch.Tensor:
        """Returns the view (T, size, size, 3) of frames (T, H, W, 3), uint8."""
        height, width = frames.shape[1:3]
        wide = round(math.sqrt(height * width * self.area * self.ratio))
        high = round(math.sqrt(height * width * self.area / self.ratio))
        wide, high = min(max(wide, 1), width), min(max(high, 1), height)
        top, left = offset(height - high, self.down), offset(width - wide, self.across)
        part = frames[:, top : top + high, left : left + wide]
        view = resize(part, (self.size, self.size), smooth=True)
        return view.flip(2) if self.mirrored else view


def random_crop(scales: Sequence[int], size: int, flip: bool, *, inverse: bool = False) -> Crop:
    """Returns a crop as in SlowFast's training: random scale, place and mirroring.

    Args:
        scales: smallest and largest short side, in pixels.
        size: of the square, in pixels.
        flip: mirrors half of the clips.
        inverse: as DATA.INV_UNIFORM_SAMPLE: the inverse of the scale is uniform.
    """
    low, high = scales
    scale = 1 / _uniform(1 / high, 1 / low) if inverse else _uniform(low, high)
    return Crop(round(scale), size, _uniform(), _uniform(), flip and _uniform() < 0.5)


def random_region(areas: Sequence[float], ratios: Sequence[float], size: int, flip: bool) -> Region:
    """Returns a random area, shape, place, mirroring, as SlowFast's training of transformers."""
    ratio = math.exp(_uniform(math.log(ratios[0]), math.log(ratios[1])))
    area = _uniform(*areas)
    return Region(size, area, ratio, _uniform(), _uniform(), flip and _uniform() < 0.5)


def resize(frames: torch.Tensor, size: tuple[int, int], smooth: bool = False) -> torch.Tensor:
    """Returns frames (T, H, W, 3) at another height and width, uint8."""
    if tuple(frames.shape[1:3]) == size:
        return frames
    planes = frames.permute(0, 3, 1, 2)
    out = F.interpolate(planes, size, mode="bilinear", align_corners=False, antialias=smooth)
    return out.permute(0, 2, 3, 1)


def normalised_planes(
    frames: torch.Tensor, mean: Sequence[float], std: Sequence[float]
) -> torch.Tensor:
    """Returns frames (..., T, H, W, 3) in uint8 as normalised float32 (..., 3, T, H, W)."""
    *batch, time, height, width, channels = frames.shape
    planes = torch.empty(*batch, channels, time, height, width, device=frames.device)
    clips = frames.reshape(-1, time, height, width, channels)
    fill = fill_by_table if frames.device.type == "cpu" else fill_by_arithmetic
    for clip, out in zip(clips, planes.view(-1, *planes.shape[-4:]), strict=True):
        fill(clip, out, mean, std)
    return planes


def normalised(clips: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Returns clips (B, 3, T, H, W) in [0, 1], normalised for a network."""
    shift, scale = (torch.tensor(v, device=clips.device).view(-1, 1, 1, 1) for v in (mean, std))
    return (clips - shift) / scale


def denormalised(clips: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Returns normalised clips (B, 3, T, H, W) in [0, 1], as they were before."""
    shift, scale = (torch.tensor(v, device=clips.device).view(-1, 1, 1, 1) for v in (mean, std))
    return (clips * scale + shift).clamp(0, 1)


def unit_range(clips: torch.Tensor) -> torch.Tensor:
    """Returns clips as float32 in [0, 1]."""
    return clips.float() / 255 if clips.dtype == torch.uint8 else clips


def fill_by_arithmetic(
    clip: torch.Tensor, out: torch.Tensor, mean: Sequence[float], std: Sequence[float]
) -> None:
    """Fills out (3, T, H, W) with (clip - mean) / std of clip (T, H, W, 3)."""
    for values, plane, m, s in zip(clip.unbind(-1), out, mean, std, strict=True):
        plane.copy_(values).div_(255).sub_(m).div_(s)  # in the order of the hosts


def fill_by_table(
    clip: torch.Tensor, out: torch.Tensor, mean: Sequence[float], std: Sequence[float]
) -> None:
    """Fills out with the same bits, on a CPU in less than half the time: a byte has 256 values."""
    every = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(-1, -1, -1, len(out))
    values = torch.empty(len(out), 1, 16, 16)
    fill_by_arithmetic(every, values, mean, std)
    tables, planes = values.flatten(1).numpy(), out.numpy()
    for t, frame in enumerate(clip.numpy()):  # frame by frame: then OpenCV starts no threads
        for channel, table, plane in zip(cv2.split(frame), tables, planes, strict=True):
            cv2.LUT(channel, table, dst=plane[t])


def offset(room: int, place: float) -> int:
    """Returns the pixels before a crop; rounded up in the middle, as SlowFast's uniform_crop."""
    return min(math.ceil(room * place), room)


def _surroundings(frames: torch.Tensor, crop: Crop) -> tuple[torch.Tensor, float]:
    """Returns very long frames cut to the part around the crop, and the crop's place in them."""
    height, width = frames.shape[1:3]
    short, long = min(height, width), max(height, width)
    if long <= _ELONGATED * short:
        return frames, crop.across
    part = _ELONGATED * short
    start = offset(long - part, crop.across)
    return frames.narrow(1 if height > width else 2, start, part), crop.across


def _uniform(low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(torch.rand((), dtype=torch.float64))
