"""Extremes: of every unit, the videos with its largest and its smallest values, as one value.

    extremes = Extremes.of(features, videos, 4)                     # (B, C), (B,): a batch
    extremes = extremes.merge(Extremes.of(features2, videos2, 4))   # an update is a merge
    extremes.most(unit)                                             # [Ranked(video, value), ...]

Equal values are in the order of the numbers of their videos. So the order is total, and the first k
of it are the same for any batches and any number of processes. Memory is C x 2k, for any number of
videos. Legend: B videos, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Ranked(NamedTuple):
    """A video by its number in the list, and the value of a unit for it."""

    video: int
    value: float


@dataclass(frozen=True, eq=False)
class Extremes:
    """The k largest values of C channels and the k smallest; fewer if there were fewer videos.

    Attributes:
        k: how many are kept.
        values: (2, C, up to k), largest first: the largest of x, and those of -x.
        videos: their videos, of the same shape.
    """

    k: int
    values: Tensor
    videos: Tensor

    @classmethod
    def empty(cls, k: int, channels: int) -> Extremes:
        """Returns the extremes of no videos: merging them changes nothing."""
        return cls(k, torch.empty(2, channels, 0), torch.empty(2, channels, 0, dtype=torch.long))

    @classmethod
    def of(cls, features: Tensor, videos: Tensor, k: int) -> Extremes:
        """Returns the extremes of one batch.

        Args:
            features: (B, C), finite.
            videos: (B,) their numbers, each once.
            k: how many of either end to keep.
        """
        x = features.detach().T
        numbers = videos.to(x.device).expand(2, *x.shape)
        return cls(k, *_first(torch.stack([x, -x]), numbers, k))

    def merge(self, other: Extremes) -> Extremes:
        """Returns the extremes of both sets of videos, on the device of `other`."""
        mine, theirs = self.values.shape[:2], other.values.shape[:2]
        if (self.k, mine) != (other.k, theirs):
            raise ValueError(
                f"Expected extremes of as many channels and videos, but got {mine[1]} and "
                f"{theirs[1]} channels, {self.k} and {other.k} videos."
            )
        own = self.to(other.values.device)
        values = torch.cat([own.values, other.values], -1)
        videos = torch.cat([own.videos, other.videos], -1)
        return Extremes(self.k, *_first(values, videos, self.k))

    def to(self, device: torch.device | str) -> Extremes:
        """Returns the extremes on `device`."""
        return Extremes(self.k, self.values.to(device), self.videos.to(device))

    def most(self, channel: int) -> list[Ranked]:
        """Returns the videos with the largest values of a channel, the largest first."""
        pairs = zip(self.videos[0, channel].tolist(), self.values[0, channel].tolist(), strict=True)
        return [Ranked(video, value) for video, value in pairs]

    def least(self, channel: int) -> list[Ranked]:
        """Returns the videos with the smallest values of a channel, the smallest first."""
        pairs = zip(self.videos[1, channel].tolist(), self.values[1, channel].tolist(), strict=True)
        return [Ranked(video, -value) for video, value in pairs]


def _first(values: Tensor, videos: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the k largest values along the last axis and their videos; equal ones by number."""
    order = videos.argsort(dim=-1, stable=True)
    values, videos = values.gather(-1, order), videos.gather(-1, order)
    order = values.argsort(dim=-1, descending=True, stable=True)[..., :k]
    return values.gather(-1, order), videos.gather(-1, order)
