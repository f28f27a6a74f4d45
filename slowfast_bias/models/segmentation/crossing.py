"""Crossing: what the streams tell each other between two stages.

Zhou et al., "Motion-Attentive Transition for Zero-Shot Video Object Segmentation" (MATNet),
https://arxiv.org/abs/2003.04253, and the variants of section 5.3 of the study. From motion to
appearance alone ("up"), motion never depends on the picture; "both" goes both ways.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slowfast_bias.models.segmentation.two_stream import freeze

UP, BOTH, NONE = "up", "both", "none"
CROSSINGS = (NONE, UP, BOTH)
_CASCADES = 5
_REDUCTION = 16


class CoAttention(nn.Module):
    """Each stream gets what is like it in the other one, in five cascades.

    Its names are those of the authors' files, of which four modules are never run.

    Args:
        channels: C of each stream.
        both: whether motion gets something too; else it gets its own attended features.
        gates: whether attended features, gated by both streams, are added.
    """

    def __init__(self, channels: int, both: bool = False, gates: bool = False) -> None:
        super().__init__()
        self.both, inner = both, max(channels // _REDUCTION, 1)
        self.proja = nn.Conv2d(channels, inner, 1)
        self.projb = nn.Conv2d(channels, inner, 1)
        self.proj1 = nn.Conv2d(channels, 1, 1)
        self.proj2 = nn.Conv2d(channels, 1, 1)
        self.rgating = Gates(channels) if gates else None
        self.bottolneck1 = _never_run(channels)
        self.bottolneck2 = _never_run(channels)
        self.bna = nn.BatchNorm2d(channels)
        self.bnb = nn.BatchNorm2d(channels)
        freeze(self.bottolneck1, self.bottolneck2, self.bna, self.bnb)

    def forward(self, app: Tensor, mot: Tensor) -> tuple[Tensor, Tensor]:
        """Returns appearance and motion (N, C, H, W) after the exchange."""
        a, m = app, mot
        for _ in range(_CASCADES - 1):
            to_a, to_m = self.exchange(a, m)
            a, m = F.relu(a + to_a), F.relu(m + to_m)
        to_a, to_m = self.exchange(a, m)
        return F.relu(app + to_a), F.relu(mot + to_m)

    def exchange(self, a: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what is added to appearance and to motion in one cascade."""
        a, m = a * _spotlight(self.proj1(a)), m * _spotlight(self.proj2(m))
        # how alike: (N, places of motion, places of appearance)
        alike = torch.tanh(self.projb(m).flatten(2).transpose(1, 2) @ self.proja(a).flatten(2))
        to_a = _normalised(a.flatten(2) @ alike.transpose(1, 2), a)
        to_m = _normalised(m.flatten(2) @ alike, m) if self.both else m
        if self.rgating is not None:
            gated_a, gated_m = self.rgating(a, m)
            to_a = to_a + gated_a
            to_m = to_m + gated_m if self.both else to_m
        return to_a, to_m


class Gates(nn.Module):
    """One gate for each place and stream, from both; RTNet has them too."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(2 * channels, 2, 1), nn.Sigmoid())

    def forward(self, a: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        """Returns both, each place of them once or up to twice."""
        gates = self.conv(torch.cat([a, m], 1))
        return a * gates[:, :1] + a, m * gates[:, 1:] + m


class NoCrossing(nn.Module):
    """The streams do not know each other."""

    def forward(self, app: Tensor, mot: Tensor) -> tuple[Tensor, Tensor]:
        """Returns both as they are."""
        return app, mot


def make_crossing(kind: str, channels: int, gates: bool = False) -> nn.Module:
    """Returns a crossing of one of CROSSINGS."""
    if kind == NONE:
        return NoCrossing()
    return CoAttention(channels, kind == BOTH, gates)


def _never_run(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU())


def _spotlight(x: Tensor) -> Tensor:
    """Returns one map (N, 1, H, W) whose places sum to one."""
    return x.flatten(1).softmax(1).view_as(x)


def _normalised(x: Tensor, like: Tensor) -> Tensor:
    """Returns (N, C, H, W) of (N, C, HW), the channels of each place of length one."""
    return F.normalize(x, dim=1).view_as(like)
