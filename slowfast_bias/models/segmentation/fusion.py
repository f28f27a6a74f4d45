"""Fusion: one tensor of appearance and motion of a stage.

`Gated` is MATNet's (https://arxiv.org/abs/2003.04253); `Convex` weighs the streams against each
other, as RTNet (https://doi.org/10.1109/CVPR46437.2021.01520) and equation (7) of the study do.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

GATED, CONVEX = FUSIONS = ("gated", "convex")
_REDUCTION = 16
_KERNEL = 7


class Gated(nn.Module):
    """Gates for each channel, each place, and the whole, of both streams side by side.

    Args:
        channels: of each stream; twice as many come out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        both = 2 * channels
        inner = max(both // _REDUCTION, 1)
        self.excitation_1 = nn.Sequential(nn.Linear(both, inner), nn.ReLU())
        self.excitation_2 = nn.Sequential(nn.Linear(inner, both), nn.Sigmoid())
        self.global_attention = nn.Sequential(nn.Linear(inner, 1), nn.Sigmoid())
        self.spatial = nn.Sequential(
            OrderedDict(conv=_wide(1), bn=nn.BatchNorm2d(1, momentum=0.01))
        )

    def forward(self, app: Tensor, mot: Tensor) -> Tensor:
        """Returns (N, 2C, H, W)."""
        x = torch.cat([app, mot], 1)
        squeezed = self.excitation_1(x.mean((2, 3)))
        by_channel = x * self.excitation_2(squeezed)[..., None, None]
        by_place = by_channel * self.spatial(by_channel.amax(1, keepdim=True))
        return x + by_place * self.global_attention(squeezed)[..., None, None]


class Convex(nn.Module):
    """Each channel, then each place, is shared out between the streams.

    Args:
        channels: C of each stream.
        inner: channels between the two layers that share out channels.
        add: whether the shares are added, C come out; else they stand side by side, 2C.
    """

    def __init__(self, channels: int, inner: int, add: bool = False) -> None:
        super().__init__()
        self.add = add
        self.channel = nn.Sequential(
            OrderedDict(
                fc1=nn.Conv2d(2 * channels, inner, 1),
                relu=nn.ReLU(),
                fc2=nn.Conv2d(inner, channels, 1),
            )
        )
        self.spatial = nn.Sequential(OrderedDict(conv1=_wide(4)))

    def forward(self, app: Tensor, mot: Tensor) -> Tensor:
        """Returns (N, 2C, H, W), or (N, C, H, W) if the shares are added."""
        pooled = torch.cat([app, mot], 1).mean((2, 3), keepdim=True)
        share = torch.sigmoid(self.channel(pooled))
        app, mot = app * share, mot * (1 - share)
        maps = [y for x in (app, mot) for y in (x.mean(1, keepdim=True), x.amax(1, keepdim=True))]
        share = torch.sigmoid(self.spatial(torch.cat(maps, 1)))
        app, mot = app * share, mot * (1 - share)
        return app + mot if self.add else torch.cat([app, mot], 1)


def make_fusion(kind: str, channels: int) -> nn.Module:
    """Returns a fusion of one of FUSIONS, (N, C, H, W) twice to (N, 2C, H, W)."""
    return (
        Gated(channels) if kind == GATED else Convex(channels, max(2 * channels // _REDUCTION, 1))
    )


def _wide(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, 1, _KERNEL, padding=_KERNEL // 2, bias=False)
