"""Inception I3D: Inception-v1 with all filters and pools inflated over time.

Carreira and Zisserman, "Quo Vadis, Action Recognition?", https://arxiv.org/abs/1705.07750: the
network that most papers mean by I3D; SlowFast's I3D is a ResNet. Modules before the head have the
names of the common PyTorch port. Padding is TensorFlow's SAME: as many outputs as a stride fits
into the input, rounded up, and where the padding is odd, the larger half comes last.
Shapes: B clips, C channels, T frames, H W space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Channels: branch 0; branch 1, reduced and full; branch 2, reduced and full; branch 3.
WIDTHS = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}
_POOLS = {  # name -> kernel, stride; it comes before the stage of that number
    "4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}


def pad_same(x: Tensor, kernel: Sequence[int], stride: Sequence[int], value: float = 0.0) -> Tensor:
    """Returns (B, C, T, H, W) padded so that an unpadded operation gives what SAME gives."""
    pads: list[int] = []
    for size, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max((math.ceil(size / s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value) if any(pads) else x


class SameConv3d(nn.Conv3d):
    """A convolution with padding SAME."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C', T', H', W')."""
        return super().forward(pad_same(x, self.kernel_size, self.stride))


class SameMaxPool3d(nn.MaxPool3d):
    """A maximum with padding SAME, which never wins.

    The PyTorch port pads with zeros: the same result, as no input here is below zero (all are what
    a ReLU gave) and every window has an input in it.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C, T', H', W')."""
        return super().forward(pad_same(x, self.kernel_size, self.stride, -math.inf))


class Unit(nn.Module):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = SameConv3d(inside, outside, (kernel,) * 3, (stride,) * 3, bias=False)
        self.bn = nn.BatchNorm3d(outside, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C', T', H', W')."""
        return F.relu(self.bn(self.conv3d(x)), inplace=True)


class Mixed(nn.Module):
    """Four branches side by side, their channels one after the other."""

    def __init__(self, inside: int, widths: Sequence[int]) -> None:
        super().__init__()
        zero, one_reduced, one, two_reduced, two, three = widths
        self.b0 = Unit(inside, zero, 1)
        self.b1a = Unit(inside, one_reduced, 1)
        self.b1b = Unit(one_reduced, one, 3)
        self.b2a = Unit(inside, two_reduced, 1)
        self.b2b = Unit(two_reduced, two, 3)
        self.b3a = SameMaxPool3d((3, 3, 3), (1, 1, 1))
        self.b3b = Unit(inside, three, 1)
        self.channels = zero + one + two + three

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C', T, H, W)."""
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x)))
        return torch.cat(branches, 1)


class Head(nn.Module):
    """The mean of small windows, and a linear classifier of each of them; SlowFast's names.

    The port has a convolution of one pixel, `logits.conv3d`, in place of `projection`.
    """

    def __init__(self, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.window = (2, 7, 7)  # cut to what there is: clips may be shorter and smaller
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits (B, classes) in training, probabilities in eval mode."""
        window = tuple(map(min, self.window, x.shape[2:]))
        x = F.avg_pool3d(x, window, stride=1).movedim(1, -1)
        x = self.projection(self.dropout(x)).mean((1, 2, 3))
        return x if self.training else x.softmax(1)


class InceptionI3D(nn.Module):
    """Takes the pathway list `[x]`, x (B, channels, T, H, W) in [-1, 1]; made for 64x224x224.

    Any clip of 32 pixels or more works; children run one after the other.

    Args:
        num_classes: of the classifier.
        dropout: the share of what the classifier gets that is dropped in training.
        channels: of the input; 2 for optical flow.
    """

    def __init__(self, num_classes: int = 400, dropout: float = 0.5, channels: int = 3) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(channels, 64, 7, stride=2)
        self.MaxPool3d_2a_3x3 = SameMaxPool3d((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3)
        self.MaxPool3d_3a_3x3 = SameMaxPool3d((1, 3, 3), (1, 2, 2))
        inside = 192
        for stage, widths in WIDTHS.items():
            if stage in _POOLS:
                name, kernel, stride = _POOLS[stage]
                self.add_module(name, SameMaxPool3d(kernel, stride))
            mixed = Mixed(inside, widths)
            self.add_module(f"Mixed_{stage}", mixed)
            inside = mixed.channels
        self.head = Head(inside, num_classes, dropout)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns logits (B, classes) in training, probabilities in eval mode."""
        (x,) = inputs
        for child in self.children():
            x = child(x)
        return x
