"""Losses of masks: the mask itself, boundaries as MATNet learns them, further masks as RTNet does.

Legend: B clips, K maps, T frames, H W space, N = B*T. Everything is averaged over pixels, frames
and clips; what is compared are all frames that a truth is given of, from the first one on.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from slowfast_bias.models.segmentation import Segmentation

BOUNDARY_SHARE = 0.2
_RADIUS = 2  # of boundaries, in pixels
_WINDOW, _SIGMA = 11, 1.5  # of SSIM
_STABLE = (0.01**2, 0.03**2)

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def segmentation_loss(
    output: Segmentation, truth: Tensor, structure: bool = False, weights: Tensor | None = None
) -> Tensor:
    """Returns the loss of what a network gives in training mode.

    Args:
        output: its logits.
        truth: (B, T, H, W) of as many frames as there is one of, not 0 inside.
        structure: whether masks are learnt by structure too, see BIAS.MASKS.LOSS.
        weights: (B, T, H, W) of the pixels; None: 1.
    """
    frames, inside = truth.shape[1], (truth != 0).float().flatten(0, 1)
    weights = None if weights is None else weights.flatten(0, 1)
    of_mask = structure_loss if structure else pixel_loss
    loss = of_mask(output.mask[:, :frames].flatten(0, 1), inside, weights)
    for logits in _maps(output.masks, frames):
        loss = loss + of_mask(logits, inside, weights)
    if output.boundaries is not None:
        edges = boundaries(inside)
        each = [pixel_loss(logits, edges, weights) for logits in _maps(output.boundaries, frames)]
        loss = loss + BOUNDARY_SHARE * sum(each)
    return loss


def pixel_loss(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Returns the binary cross entropy of logits (N, H, W), pixels weighted."""
    logits = _wide(logits)
    return F.binary_cross_entropy_with_logits(logits, truth.to(logits), weights)


def structure_loss(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Returns binary cross entropy, 1 - SSIM and 1 - soft overlap of logits (N, H, W)."""
    found = _wide(logits).sigmoid()
    truth = truth.to(found)
    both = (found * truth).sum((1, 2))
    overlap = both / ((found + truth).sum((1, 2)) - both).clamp(min=1e-6)
    return pixel_loss(logits, truth, weights) + 2 - ssim(found, truth) - overlap.mean()


def boundaries(truth: Tensor) -> Tensor:
    """Returns 1 where a pixel within a radius of 2 has the other value, (N, H, W) of 0 and 1."""
    line = torch.arange(-_RADIUS, _RADIUS + 1, device=truth.device)
    disc = (line[:, None] ** 2 + line**2 <= _RADIUS**2).to(truth)
    padded = F.pad(truth[:, None], (_RADIUS,) * 4, mode="replicate")  # the edge is no boundary
    count = F.conv2d(padded, disc[None, None]).squeeze(1).round()
    return ((count > 0) & (count < disc.sum())).float()


def ssim(one: Tensor, other: Tensor) -> Tensor:
    """Returns the mean structural similarity of maps (N, H, W) in [0, 1]."""
    line = torch.arange(_WINDOW, device=one.device, dtype=one.dtype) - _WINDOW // 2
    line = (-(line**2) / (2 * _SIGMA**2)).exp()
    window = torch.outer(line, line)[None, None] / line.sum() ** 2

    def mean(x: Tensor) -> Tensor:
        return F.conv2d(x[:, None], window, padding=_WINDOW // 2)

    a, b = mean(one), mean(other)
    spread = mean(one * one) + mean(other * other) - a * a - b * b
    shared = 2 * (mean(one * other) - a * b)
    c, d = _STABLE
    return ((2 * a * b + c) * (shared + d) / ((a * a + b * b + c) * (spread + d))).mean()


def _wide(logits: Tensor) -> Tensor:
    """Returns logits in single precision at least: in half of it a loss would overflow."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _maps(found: Tensor | None, frames: int) -> list[Tensor]:
    """Returns further maps of the first frames, (N, H, W) each, of (B, K, T, H, W)."""
    return [] if found is None else [x.flatten(0, 1) for x in found[:, :, :frames].unbind(1)]
