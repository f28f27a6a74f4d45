"""Colours rotated about grey, by orthogonal matrices that are far apart.

An orthogonal matrix keeps the distances of all colours, so it hides no object; but it may exchange
light for dark, as a negative does.

Legend: B batch, C channels (3), T frames, H W space, S styles.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

_POOL = 2048  # random matrices to choose from


@dataclass(frozen=True, eq=False)
class Colour:
    """The family "colour".

    Attributes:
        matrices: (S, 3, 3) orthogonal, applied to colours minus grey.
    """

    matrices: torch.Tensor
    reach = 0

    @classmethod
    def draw(cls, num: int, seed: int) -> Colour:
        """Returns the styles of a seed."""
        return cls(far_apart_matrices(num, torch.Generator().manual_seed(seed)).float())

    def __call__(self, clips: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Returns clips (B, 3, T, H, W), each in its style of `styles`, (B,)."""
        turned = mix(self.matrices[styles].to(clips), clips - 0.5)
        return turned.mul_(_fit(self.matrices)[styles].to(clips)).add_(0.5).clamp_(0, 1)


def far_apart_matrices(num: int, generator: torch.Generator) -> torch.Tensor:
    """Returns (num, 3, 3) float64 orthogonal matrices that give far-apart looks."""
    return _far_apart(random_orthogonal(_POOL, generator), num)


def style_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Returns how far apart colour matrices (..., 3, 3) put a colour at distance 1 from grey.

    The smaller of two: the root mean square over all colours, and the distance for white, because
    most pictures consist of light and dark. Includes the gains that fit colours into [0, 1].
    """
    apart = a * _fit(a).reshape(*a.shape[:-2], 1, 1) - b * _fit(b).reshape(*b.shape[:-2], 1, 1)
    overall = apart.square().sum((-2, -1)).div(3).sqrt()
    light = apart.sum(-1).div(3**0.5).norm(dim=-1)
    return torch.minimum(overall, light)


def random_orthogonal(count: int, generator: torch.Generator) -> torch.Tensor:
    """Returns (count, 3, 3) float64, uniform over rotations and mirrorings."""
    q, r = torch.linalg.qr(torch.randn(count, 3, 3, dtype=torch.float64, generator=generator))
    return q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]  # QR alone is not uniform


def mix(matrices: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
    """Returns each clip's colours times its matrix, (B, 3, T, H, W).

    Element by element: a matrix product may round by its place in the batch, or to TensorFloat-32.
    """
    columns = matrices[..., None, None, None].unbind(2)
    mixed = columns[0] * clips[:, :1]
    for channel in (1, 2):
        mixed += columns[channel] * clips[:, channel : channel + 1]
    return mixed


def _far_apart(pool: torch.Tensor, num: int) -> torch.Tensor:
    """Returns `num` matrices of the pool, (P, 3, 3), far apart: greedily, then by exchanges."""
    chosen = [0]
    distances = {0: style_distance(pool, pool[0])}

    def farthest(kept: list[int]) -> int:
        for index in kept:
            if index not in distances:
                distances[index] = style_distance(pool, pool[index])
        return int(torch.stack([distances[index] for index in kept]).amin(0).argmax())

    while len(chosen) < num:
        chosen.append(farthest(chosen))
    for place in list(range(num)) * 4:
        chosen[place] = farthest(chosen[:place] + chosen[place + 1 :])
    return pool[chosen]


def _fit(matrices: torch.Tensor) -> torch.Tensor:
    """Returns the largest gains, (S, 1, 1, 1, 1), that keep the rotated colour cube in [0, 1]."""
    return matrices.abs().sum(-1).amax(-1).reciprocal().reshape(-1, 1, 1, 1, 1)
