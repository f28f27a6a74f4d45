"""Rotated colours plus a fixed random convolution, which changes textures too.

Legend: B batch, C channels (3), T frames, H W space, S styles.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from slowfast_bias.datasets.styles.looks.colour import far_apart_matrices, mix
from slowfast_bias.seeding import seed_from

_WIDTHS = (3, 5, 7)  # of the convolutions, in turn
_TEXTURE = 1.5  # weight of the convolution; that of the colour matrix is 1
_CONTRAST = 1.0  # slope at grey of the curve that brings convolved frames into [0, 1]
_OWN = 1  # mixed into the seed, so that "colour" of the same seed has other matrices


@dataclass(frozen=True, eq=False)
class RandConv:
    """The family "randconv".

    Attributes:
        matrices: (S, 3, 3) orthogonal, applied to colours minus grey.
        kernels: one a style, (3, 3, k, k): orthonormal filters that sum to 0.
    """

    matrices: torch.Tensor
    kernels: tuple[torch.Tensor, ...]

    @classmethod
    def draw(cls, num: int, seed: int) -> RandConv:
        """Returns the styles of a seed."""
        generator = torch.Generator().manual_seed(seed_from(seed, _OWN))
        matrices = far_apart_matrices(num, generator).float()
        widths = [_WIDTHS[index % len(_WIDTHS)] for index in range(num)]
        return cls(matrices, tuple(_random_kernel(width, generator) for width in widths))

    @property
    def reach(self) -> int:
        """The distance in pixels over which a pixel has influence."""
        return max(kernel.shape[-1] // 2 for kernel in self.kernels)

    def __call__(self, clips: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Returns clips (B, 3, T, H, W), each in its style of `styles`, (B,)."""
        centred = clips - 0.5
        turned = mix(self.matrices[styles].to(clips), centred)
        for index in styles.unique().tolist():
            mine = (styles == index).to(clips.device)
            turned[mine] += _TEXTURE * _convolve(centred[mine], self.kernels[index])
        # a curve, because a gain that always fits would leave little contrast
        return turned.mul_(4 * _CONTRAST).sigmoid_()


def _random_kernel(width: int, generator: torch.Generator) -> torch.Tensor:
    """Returns (3, 3, k, k) float32: three orthonormal filters that ignore flat areas."""
    noise = torch.randn(3, 3, width, width, dtype=torch.float64, generator=generator)
    # flat areas are left to the colour matrix, which never hides an object
    noise = (noise - noise.mean((2, 3), keepdim=True)).reshape(3, -1)
    return torch.linalg.qr(noise.T).Q.T.reshape(3, 3, width, width).float()


def _convolve(clips: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Returns the clips convolved frame by frame, (B, 3, T, H, W), mirrored at the borders."""
    frames, reach = clips.transpose(1, 2).flatten(0, 1), kernel.shape[-1] // 2
    with torch.autocast(clips.device.type, enabled=False):
        padded = F.pad(frames, (reach,) * 4, mode="reflect")
        out = F.conv2d(padded, kernel.to(clips))
    return out.unflatten(0, (len(clips), -1)).transpose(1, 2)
