"""Jitter of flow pictures: another hue and saturation, so that directions and speeds are others.

This is how the paper breaks the dynamics of a static pair: hue is direction, saturation is speed,
and what rests, white, stays white. Where the object is stays visible in its outline. Every frame is
drawn for itself, and forward and backward flow apart. Legend: B batch, T frames, H W space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slowfast_bias.seeding import seed_from

HUE = (0.1, 0.5)  # range of the largest shift, in turns
SATURATION = (0.1, 1.0)  # range of the largest change of the factor
_JITTER = 5  # tells these draws from others of one seed


def jittered(
    pictures: torch.Tensor, seed: int, videos: Sequence[int], direction: int = 0
) -> torch.Tensor:
    """Returns flow pictures in other colours, (B, 3, T, H, W).

    Args:
        pictures: (B, 3, T, H, W) in [0, 1].
        seed: of the draws.
        videos: (B,) numbers, each of a sequence and a frame; they and `seed` decide alone.
        direction: 0 for forward flow, 1 for backward.
    """
    out = torch.empty_like(pictures)
    for clip, result, video in zip(pictures, out, videos, strict=True):
        for time in range(clip.shape[1]):
            shift, factor, hue_first = draw_jitter(seed, video, time, direction)
            frame = clip[:, time]
            frame = with_hue(frame, shift) if hue_first else frame
            frame = with_saturation(frame, factor)
            result[:, time] = frame if hue_first else with_hue(frame, shift)
    return out


def draw_jitter(seed: int, video: int, time: int, direction: int) -> tuple[float, float, bool]:
    """Returns a shift of hue in turns, a factor of saturation, and whether hue comes first.

    Each range is drawn first and then a value in it, as the authors do.
    """
    generator = torch.Generator().manual_seed(seed_from(seed, int(video), _JITTER, time, direction))
    draws = torch.rand(5, generator=generator, dtype=torch.float64).tolist()
    hue = HUE[0] + (HUE[1] - HUE[0]) * draws[0]
    saturation = SATURATION[0] + (SATURATION[1] - SATURATION[0]) * draws[1]
    factor = 1 + saturation * (2 * draws[3] - 1)  # from 0 on, as the range ends at 1
    return hue * (2 * draws[2] - 1), factor, draws[4] < 0.5


def with_saturation(frame: torch.Tensor, factor: float) -> torch.Tensor:
    """Returns a frame (3, H, W) in [0, 1] mixed with its grey: 0 is grey, 1 changes nothing."""
    red, green, blue = frame
    grey = green + 0.299 * (red - green) + 0.114 * (blue - green)  # exact where all are equal
    return (grey + factor * (frame - grey)).clamp(0, 1)


def with_hue(frame: torch.Tensor, turns: float) -> torch.Tensor:
    """Returns a frame (3, H, W) in [0, 1] whose hue is turned, as in HSV."""
    largest, smallest = frame.amax(0), frame.amin(0)
    chroma = largest - smallest
    hue = _sextants(frame, largest, chroma) + 6 * turns
    steps = hue.new_tensor([5.0, 3.0, 1.0]).view(3, 1, 1)
    place = (steps + hue) % 6
    return largest - chroma * torch.minimum(place, 4 - place).clamp(0, 1)


def _sextants(frame: torch.Tensor, largest: torch.Tensor, chroma: torch.Tensor) -> torch.Tensor:
    """Returns the hue (H, W), from 0 to 6; 0 of grey."""
    red, green, blue = frame
    unit = chroma.clamp(min=1e-12)
    hue = torch.where(
        largest == red,
        (green - blue) / unit,
        torch.where(largest == green, 2 + (blue - red) / unit, 4 + (red - green) / unit),
    )
    return torch.where(chroma == 0, 0.0, hue)
