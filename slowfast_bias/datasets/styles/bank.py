"""Styles: other appearances of the same motion.

A style is one fixed function of a frame, the same for all frames of all clips. It depends on
nothing else in the clip or the batch, so it adds no flicker and commutes with shuffling the frames.

    bank = make_styles("colour", num=4, seed=0)
    styled = bank(clips, 2)                       # one style for all, (B, 3, T, H, W) in [0, 1]
    styled = bank(clips, torch.tensor([0, 3]))    # or one for each clip
    print(style_report(bank, clips).table())

Families: "colour" rotates the colour cube about grey, by orthogonal matrices that are far apart;
"randconv" also adds a fixed random convolution, which changes textures too. Both depend only on
(family, num, seed), to be published with any measurement: "static" means what the bank destroys.

Legend: B batch, C channels (3), T frames, H W space, S styles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from slowfast_bias.datasets.styles.strength import (
    StyleReport,
    preview_strip,
    save_preview,
    style_report,
)

__all__ = [
    "FAMILIES",
    "StyleBank",
    "StyleReport",
    "make_styles",
    "preview_strip",
    "save_preview",
    "style_distance",
    "style_report",
]

FAMILIES = ("colour", "randconv")
_POOL = 2048  # random matrices to choose from
_WIDTHS = (3, 5, 7)  # of the convolutions, in turn
_TEXTURE = 1.5  # weight of the convolution; that of the colour matrix is 1
_CONTRAST = 1.0  # slope at grey of the curve that brings convolved frames into [0, 1]


@dataclass(frozen=True, eq=False)
class StyleBank:
    """A fixed set of S styles, called as `bank(clips, style)`; made by `make_styles`.

    Attributes:
        family: "colour" or "randconv".
        seed: of the random draws.
        matrices: (S, 3, 3) orthogonal, applied to colours minus grey.
        kernels: for "randconv", one a style, (3, 3, k, k): orthonormal filters that sum to 0.
    """

    family: str
    seed: int
    matrices: torch.Tensor
    kernels: tuple[torch.Tensor, ...] = ()

    @property
    def num(self) -> int:
        """S, the number of styles."""
        return len(self.matrices)

    def about(self) -> dict[str, str | int]:
        """Returns what a report holds of the styles, enough to make them again."""
        return {"family": self.family, "num": self.num, "seed": self.seed}

    @property
    def reach(self) -> int:
        """The distance in pixels over which a pixel has influence."""
        return max((kernel.shape[-1] // 2 for kernel in self.kernels), default=0)

    def __call__(
        self, clips: torch.Tensor, style: int | Sequence[int] | torch.Tensor
    ) -> torch.Tensor:
        """Returns the restyled clips, on the device and of the type of `clips`.

        Args:
            clips: (B, 3, T, H, W) float32 or float64 in [0, 1], before any normalisation.
            style: 0 to S - 1; one for all, or (B,).
        """
        _check_clips(clips)
        styles = self._one_a_clip(style, len(clips))
        centred = clips - 0.5
        turned = _mix(self.matrices[styles].to(clips), centred)
        if self.family == "colour":
            return turned.mul_(_fit(self.matrices)[styles].to(clips)).add_(0.5).clamp_(0, 1)
        for index in styles.unique().tolist():
            mine = (styles == index).to(clips.device)
            turned[mine] += _TEXTURE * _convolve(centred[mine], self.kernels[index])
        # a curve, because a gain that always fits would leave little contrast
        return turned.mul_(4 * _CONTRAST).sigmoid_()

    def _one_a_clip(self, style: int | Sequence[int] | torch.Tensor, batch: int) -> torch.Tensor:
        styles = torch.as_tensor(style, device="cpu")
        right = not styles.is_floating_point() and styles.shape in ((), (batch,))
        if not right or (batch and not 0 <= int(styles.min()) <= int(styles.max()) < self.num):
            raise ValueError(
                f"Expected `style` to be 0 to {self.num - 1}, one for all or one for each of "
                f"{batch} clips, but got {style}."
            )
        return styles.expand(batch).long()


def make_styles(family: str = "colour", num: int = 4, seed: int = 0) -> StyleBank:
    """Returns the bank of (family, num, seed), the same on every machine."""
    if family not in FAMILIES:
        raise ValueError(f"Expected `family` to be {' or '.join(FAMILIES)}, but got {family!r}.")
    if not 2 <= num <= 16:
        raise ValueError(
            f"Expected `num` to be 2 to 16, because a pair needs two styles and more than 16 look "
            f"alike, but got {num}; 4 will do."
        )
    generator = torch.Generator().manual_seed(seed)
    matrices = _far_apart(random_orthogonal(_POOL, generator), num)
    kernels = ()
    if family == "randconv":
        widths = [_WIDTHS[index % len(_WIDTHS)] for index in range(num)]
        kernels = tuple(_random_kernel(width, generator) for width in widths)
    return StyleBank(family, seed, matrices.float(), kernels)


def style_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Returns how far apart colour matrices (..., 3, 3) put a colour at distance 1 from grey.

    The smaller of two: the root mean square over all colours, and the distance for white, because
    most pictures consist of light and dark. Includes the gains that fit colours into [0, 1].
    """
    apart = a * _fit(a).reshape(*a.shape[:-2], 1, 1) - b * _fit(b).reshape(*b.shape[:-2], 1, 1)
    overall = apart.square().sum((-2, -1)).div(3).sqrt()
    light = apart.sum(-1).div(3**0.5).norm(dim=-1)
    return torch.minimum(overall, light)


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


def random_orthogonal(count: int, generator: torch.Generator) -> torch.Tensor:
    """Returns (count, 3, 3) float64, uniform over rotations and mirrorings."""
    q, r = torch.linalg.qr(torch.randn(count, 3, 3, dtype=torch.float64, generator=generator))
    return q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]  # QR alone is not uniform


def _random_kernel(width: int, generator: torch.Generator) -> torch.Tensor:
    """Returns (3, 3, k, k) float32: three orthonormal filters that ignore flat areas."""
    noise = torch.randn(3, 3, width, width, dtype=torch.float64, generator=generator)
    # flat areas are left to the colour matrix, which never hides an object
    noise = (noise - noise.mean((2, 3), keepdim=True)).reshape(3, -1)
    return torch.linalg.qr(noise.T).Q.T.reshape(3, 3, width, width).float()


def _fit(matrices: torch.Tensor) -> torch.Tensor:
    """Returns the largest gains, (S, 1, 1, 1, 1), that keep the rotated colour cube in [0, 1]."""
    return matrices.abs().sum(-1).amax(-1).reciprocal().reshape(-1, 1, 1, 1, 1)


def _mix(matrices: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
    """Returns each clip's colours times its matrix, (B, 3, T, H, W).

    Element by element: a matrix product may round by its place in the batch, or to TensorFloat-32.
    """
    columns = matrices[..., None, None, None].unbind(2)
    mixed = columns[0] * clips[:, :1]
    for channel in (1, 2):
        mixed += columns[channel] * clips[:, channel : channel + 1]
    return mixed


def _convolve(clips: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Returns the clips convolved frame by frame, (B, 3, T, H, W), mirrored at the borders."""
    frames, reach = clips.transpose(1, 2).flatten(0, 1), kernel.shape[-1] // 2
    with torch.autocast(clips.device.type, enabled=False):
        padded = F.pad(frames, (reach,) * 4, mode="reflect")
        out = F.conv2d(padded, kernel.to(clips))
    return out.unflatten(0, (len(clips), -1)).transpose(1, 2)


def _check_clips(clips: torch.Tensor) -> None:
    if clips.ndim != 5 or clips.shape[1] != 3 or clips.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            "Expected `clips` to be (B, 3, T, H, W) of float32 or float64 in [0, 1], but got "
            f"{tuple(clips.shape)} of {clips.dtype}; call `.float()`, and divide bytes by 255."
        )
