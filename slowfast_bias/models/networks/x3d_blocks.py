"""The parts of X3D's body: its stem, its bottlenecks with channel-wise convolutions, its stages.

Names of modules are SlowFast's, for its checkpoints. Lists of pathways go in and out, as in all of
its convolutional networks; here they have one entry.
Shapes: B batch, C channels, T frames, H W space.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from slowfast_bias.models.networks.drop_path import DropPath
from slowfast_bias.models.networks.round_width import round_width

Norm = Callable[[int], nn.Module]

_STEM_FRAMES, _FRAMES = 5, 3  # how many frames a convolution of the stem and of a block sees
_SQUEEZE = 0.0625  # width of the bottleneck in squeeze-and-excitation, of what it weighs


class X3DStem(nn.Sequential):
    """A convolution over space, then a channel-wise one over time."""

    def __init__(self, inside: int, out: int, norm: Norm) -> None:
        time, around = (_STEM_FRAMES, 1, 1), (_STEM_FRAMES // 2, 0, 0)
        conv_xy = nn.Conv3d(inside, out, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        conv = nn.Conv3d(out, out, time, padding=around, groups=out, bias=False)
        relu = nn.ReLU(inplace=True)
        super().__init__(OrderedDict(conv_xy=conv_xy, conv=conv, bn=norm(out), relu=relu))


class VideoModelStem(nn.Module):
    """The stem of the only pathway."""

    def __init__(self, stem: nn.Module) -> None:
        super().__init__()
        self.pathway0_stem = stem

    def forward(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Returns a new list of features (B, C, T, H/2, W/2); `inputs` stays as it is."""
        return [self.pathway0_stem(inputs[0])]


class SE(nn.Module):
    """Squeeze-and-excitation: weighs channels by what a clip has in them on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = round_width(channels, _SQUEEZE, divisor=8, least=8)
        self.fc1 = nn.Conv3d(channels, squeezed, 1)
        self.fc2 = nn.Conv3d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns `x` (B, C, T, H, W), each channel times a weight between 0 and 1."""
        means = F.adaptive_avg_pool3d(x, 1)
        return x * self.fc2(self.fc1(means).relu()).sigmoid()


@dataclass(frozen=True)
class Bottleneck:
    """What the bottlenecks of a stage have in common.

    Attributes:
        out: channels of the block.
        inner: channels between its two pointwise convolutions.
        groups: of the convolution between them; `inner` makes it channel-wise.
        stride_first: whether the first convolution has the stride, instead of the second one.
        drop: rate of stochastic depth.
    """

    out: int
    inner: int
    groups: int
    stride_first: bool
    drop: float


class X3DTransform(nn.Sequential):
    """The residual branch of a block: 1x1x1, 3x3x3, 1x1x1."""

    def __init__(
        self, inside: int, kind: Bottleneck, stride: int, squeezes: bool, norm: Norm
    ) -> None:
        inner = kind.inner
        first, second = (stride, 1) if kind.stride_first else (1, stride)
        middle = nn.Conv3d(
            inner, inner, (_FRAMES, 3, 3), (1, second, second), 1, groups=kind.groups, bias=False
        )
        parts = {
            "a": nn.Conv3d(inside, inner, 1, (1, first, first), bias=False),
            "a_bn": norm(inner),
            "a_relu": nn.ReLU(inplace=True),
            "b": middle,
            "b_bn": norm(inner),
            **({"se": SE(inner)} if squeezes else {}),
            "b_relu": nn.SiLU(),
            "c": nn.Conv3d(inner, kind.out, 1, bias=False),
            "c_bn": norm(kind.out),
        }
        super().__init__(OrderedDict(parts))


class ResBlock(nn.Module):
    """A residual block; the skip is a convolution if width or size change."""

    def __init__(
        self, inside: int, kind: Bottleneck, stride: int, squeezes: bool, norm: Norm
    ) -> None:
        super().__init__()
        self.projects = inside != kind.out or stride != 1
        if self.projects:
            self.branch1 = nn.Conv3d(inside, kind.out, 1, (1, stride, stride), bias=False)
            self.branch1_bn = norm(kind.out)
        self.branch2 = X3DTransform(inside, kind, stride, squeezes, norm)
        self.drop_path = DropPath(kind.drop)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns features (B, C, T, H, W), with a stride at H/2 and W/2."""
        skip = self.branch1_bn(self.branch1(x)) if self.projects else x
        return self.relu(skip + self.drop_path(self.branch2(x)))


class ResStage(nn.Module):
    """Blocks one after the other; the first one halves the size, every second one squeezes."""

    def __init__(self, inside: int, kind: Bottleneck, blocks: int, norm: Norm) -> None:
        super().__init__()
        for i in range(blocks):
            first = i == 0
            block = ResBlock(
                inside if first else kind.out, kind, 2 if first else 1, i % 2 == 0, norm
            )
            self.add_module(f"pathway0_res{i}", block)

    def forward(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Returns a new list of features (B, C, T, H/2, W/2)."""
        (x,) = inputs
        for block in self.children():
            x = block(x)
        return [x]
