"""Losses of masks: the mask itself, boundaries as MATNet learns them, further masks as RTNet does.

Legend: B clips, K maps, T frames, H W space. Everything is averaged over pixels and clips; what is
compared is the first frame of each clip, the one that has a truth.
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
        truth: (B, H, W), not 0 inside.
        structure: whether masks are learnt by structure too, see BIAS.MASKS.LOSS.
        weights: (B, H, W) of the pixels; None: 1.
    """
    inside = (truth != 0).float()
    of_mask = structure_loss if structure else pixel_loss
    loss = of_mask(output.mask[:, 0], inside, weights)
    for logits in _maps(output.masks):
        loss = loss + of_mask(logits, inside, weights)
    if output.boundaries is not None:
        edges = boundaries(inside)
        each = [pixel_loss(logits, edges, weights) for logits in _maps(output.boundaries)]
        loss = loss + BOUNDARY_SHARE * sum(each)
    return loss


def pixel_loss(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Returns the binary cross entropy of logits (B, H, W), pixels weighted."""
    return F.binary_cross_entropy_with_logits(logits.float(), truth, weights)


def structure_loss(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Returns binary cross entropy, 1 - SSIM and 1 - soft overlap of logits (B, H, W)."""
    found = logits.float().sigmoid()
    both = (found * truth).sum((1, 2))
    overlap = both / ((found + truth).sum((1, 2)) - both).clamp(min=1e-6)
    return pixel_loss(logits, truth, weights) + 2 - ssim(found, truth) - overlap.mean()


def boundaries(truth: Tensor) -> Tensor:
    """Returns 1 where a pixel within a radius of 2 has the other value, (B, H, W) of 0 and 1."""
    line = torch.arange(-_RADIUS, _RADIUS + 1, device=truth.device)
    disc = (line[:, None] ** 2 + line**2 <= _RADIUS**2).to(truth)
    padded = F.pad(truth[:, None], (_RADIUS,) * 4, mode="replicate")  # the edge is no boundary
    count = F.conv2d(padded, disc[None, None]).squeeze(1).round()
    return ((count > 0) & (count < disc.sum())).float()


def ssim(one: Tensor, other: Tensor) -> Tensor:
    """Returns the mean structural similarity of maps (B, H, W) in [0, 1]."""
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


def _maps(found: Tensor | None) -> list[Tensor]:
    """Returns further maps of the first frame, (B, H, W) each, of (B, K, T, H, W)."""
    return [] if found is None else list(found[:, :, 0].unbind(1))
