"""The same scene graded otherwise, as film is: contrast, brightness, hue and tint.

What a trained network recognises survives this far better than exchanged colours do, and yet it is
another look to a network that has learnt nothing. Each pixel is changed by itself: its luminance by
a rising curve, so that light stays light and no object is hidden, its colour at equal luminance.
No step rounds differently in another batch, order of frames or memory layout: there is no `pow`,
`exp` or matrix product.

Legend: B batch, C channels (3), T frames, H W space, S styles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from slowfast_bias.datasets.styles.looks.colour import mix
from slowfast_bias.seeding import seed_from

_CONTRAST = 0.7  # largest logarithm of a slope at grey: half to double
_BRIGHTNESS = 0.3  # largest logarithm of a slope at black
_TURN = math.pi / 3  # largest turn of the hues
_TINT = 0.05  # of grey, in the colour range [0, 1]
_LUMA = (0.299, 0.587, 0.114)  # luminance of red, green and blue, as in television
_OWN = 2  # mixed into the seed, so that families share no draws


@dataclass(frozen=True, eq=False)
class Grade:
    """The family "grade".

    Attributes:
        contrasts: (S,) slopes at grey of luminance; below 1 is hazy.
        slopes: (S,) slopes at black of the curves that follow; above 1 brightens.
        turns: (S, 3, 3) applied to colours minus their luminance; they turn the hue.
        tints: (S, 3) added to them; the luminance of each is 0.
    """

    contrasts: torch.Tensor
    slopes: torch.Tensor
    turns: torch.Tensor
    tints: torch.Tensor
    reach = 0

    @classmethod
    def draw(cls, num: int, seed: int) -> Grade:
        """Returns the styles of a seed.

        Each property is spread evenly over its range, and the seed decides which values meet: no
        two styles of a bank are alike in any property.
        """
        generator = torch.Generator().manual_seed(seed_from(seed, _OWN))

        def shuffled(values: torch.Tensor) -> torch.Tensor:
            return values[torch.randperm(num, generator=generator)]

        ladder = torch.linspace(-1, 1, num, dtype=torch.float64)
        circle = torch.arange(num, dtype=torch.float64) / num
        start = torch.rand((), dtype=torch.float64, generator=generator)
        across = _plane()
        contrasts, slopes = (torch.exp(r * shuffled(ladder)) for r in (_CONTRAST, _BRIGHTNESS))
        turns = [_turn(_TURN * part, across) for part in shuffled(ladder).tolist()]
        angles = 2 * math.pi * (start + shuffled(circle))
        tints = _TINT * torch.stack([angles.cos(), angles.sin()], -1) @ across
        return cls(contrasts.float(), slopes.float(), torch.stack(turns).float(), tints.float())

    def __call__(self, clips: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Returns clips (B, 3, T, H, W), each in its style of `styles`, (B,)."""

        def a_clip(values: torch.Tensor) -> torch.Tensor:
            return values[styles].to(clips).reshape(len(clips), -1, 1, 1, 1)

        red, green, blue = clips.split(1, 1)
        luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
        colours = mix(self.turns[styles].to(clips), clips - luma).add_(a_clip(self.tints))
        luma = _contrasted(luma, a_clip(self.contrasts))
        luma = _brightened(luma, a_clip(self.slopes)).clamp_(0, 1)
        return colours.mul_(_fit(colours, luma)).add_(luma).clamp_(0, 1)


def _contrasted(luma: torch.Tensor, contrast: torch.Tensor) -> torch.Tensor:
    """Returns luminance in [0, 1] drawn to grey by a contrast below 1, or off grey by one above."""
    off_grey = 2 * luma - 1
    # black and white stay where they are if the contrast rises
    bend = off_grey.abs() * (contrast - 1).clamp(min=0) + 1
    return (off_grey * contrast / bend + 1) / 2


def _brightened(luma: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Returns luminance in [0, 1] on the curve from 0 to 1 with this slope at 0."""
    return luma * slope / (luma * (slope - 1) + 1)


def _fit(colours: torch.Tensor, luma: torch.Tensor) -> torch.Tensor:
    """Returns the largest gains up to 1, (B, 1, T, H, W), that keep luma + colours in [0, 1]."""
    room = torch.where(colours > 0, 1 - luma, luma)
    return room.div_(colours.abs().clamp_(min=1e-6)).amin(1, keepdim=True).clamp_(max=1)


def _plane() -> torch.Tensor:
    """Returns two orthonormal colour differences of luminance 0, (2, 3) float64."""
    luma = torch.tensor(_LUMA, dtype=torch.float64)
    luma = luma / luma.norm()
    red = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    first = red - luma[0] * luma
    first = first / first.norm()
    return torch.stack([first, torch.linalg.cross(luma, first)])


def _turn(angle: float, across: torch.Tensor) -> torch.Tensor:
    """Returns the matrix, (3, 3), that turns colour differences of luminance 0 by an angle."""
    cos, sin = math.cos(angle), math.sin(angle)
    return across.mT @ across.new_tensor([[cos, -sin], [sin, cos]]) @ across
