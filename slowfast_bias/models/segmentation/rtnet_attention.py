"""RTNet's exchanges: what a stage of one stream or frame takes over from another, or from itself.

Ren et al., "Reciprocal Transformations for Unsupervised Video Object Segmentation", CVPR 2021.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slowfast_bias.models.segmentation.crossing import Gates
from slowfast_bias.models.segmentation.maps import enlarge


class Attention(nn.Module):
    """Attention between all places of two maps.

    Args:
        channels: of both.
        heads: number of them.
        bias: whether query, key and value have biases.
        turned: whether values are summed over the places of queries, as in most of the authors'
            weights, which were trained so; else over those of keys, as usual.
        coarse: whether it runs on a map pooled to half the size.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        bias: bool = True,
        turned: bool = True,
        coarse: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.turned, self.coarse = heads, turned, coarse
        self.query = nn.Conv2d(channels, channels, 1, bias=bias)
        self.key = nn.Conv2d(channels, channels, 1, bias=bias)
        self.value = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        """Returns (N, C, H, W), what `asking` takes over from `asked`, both (N, C, H, W)."""
        size = asking.shape[2:]
        if self.coarse:
            asking, asked = (F.max_pool2d(x, 3, stride=2, padding=1) for x in (asking, asked))
        query, key, value = map(
            self._by_head, (self.query(asking), self.key(asked), self.value(asked))
        )
        weights = (query.transpose(2, 3) @ key / math.sqrt(query.shape[2])).softmax(3)
        found = value @ (weights if self.turned else weights.transpose(2, 3))
        found = found.reshape(asking.shape)
        return enlarge(found, size, corners=True) if self.coarse else found

    def _by_head(self, x: Tensor) -> Tensor:
        """Returns (N, heads, C / heads, HW)."""
        return x.flatten(2).unflatten(1, (self.heads, -1))


class Exchange(nn.Module):
    """Two maps take over from each other: the second one from what the first has become.

    Args:
        channels: of both.
        heads: of the attention.
        shared: whether both ways have the same weights.
        more: of `Attention`.
    """

    def __init__(self, channels: int, heads: int, shared: bool, **more: bool) -> None:
        super().__init__()
        self.scaling = _scaling(2 * channels, channels // heads)
        self.transformation1 = Attention(channels, heads, **more)
        self.transformation2 = None if shared else Attention(channels, heads, **more)
        self.gating = Gates(channels)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what is added to either, (N, C, H, W)."""
        x_scale, y_scale = _scales(self.scaling, torch.cat([x, y], 1)).chunk(2, 1)
        x, y = x * x_scale, y * y_scale
        x = self.transformation1(x, y)
        back = self.transformation2 if self.transformation2 is not None else self.transformation1
        return self.gating(x, back(y, x))


class SelfExchange(nn.Module):
    """A map takes over from itself; arguments as `Exchange`."""

    def __init__(self, channels: int, heads: int, **more: bool) -> None:
        super().__init__()
        self.scaling = _scaling(channels, channels // heads)
        self.transformation = Attention(channels, heads, **more)
        self.gating = nn.Sequential(
            OrderedDict(conv=nn.Sequential(nn.Conv2d(channels, 1, 1), nn.Sigmoid()))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns what is added to it, (N, C, H, W)."""
        x = x * _scales(self.scaling, x)
        x = self.transformation(x, x)
        return x * self.gating(x) + x


def _scaling(channels: int, inner: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            fc1=nn.Conv2d(channels, inner, 1),
            relu=nn.ReLU(),
            fc2=nn.Conv2d(inner, channels, 1),
        )
    )


def _scales(scaling: nn.Module, x: Tensor) -> Tensor:
    """Returns (N, C, 1, 1) from 1 to 2."""
    return 1 + torch.sigmoid(scaling(x.mean((2, 3), keepdim=True)))
