"""ResNet without its classifier: parameters have torchvision's names and shapes.

He et al., "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385, with
the stride in the 3x3 convolution; Xie et al., "Aggregated Residual Transformations",
https://arxiv.org/abs/1611.05431.

    trunk = ResNet("resnet101")
    trunk.layer1(trunk.stem(pictures))      # (B, 3, H, W) -> (B, 256, H/4, W/4)
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Design(NamedTuple):
    """How a network of the family is built.

    Attributes:
        blocks: of each of the four stages.
        expansion: channels that a block returns, of those inside it; 1 for two 3x3 convolutions.
        groups: of the 3x3 convolution.
        group_width: channels of a group where the network is 64 wide, in the first stage.
    """

    blocks: tuple[int, int, int, int]
    expansion: int = 4
    groups: int = 1
    group_width: int = 64


DESIGNS = {
    "resnet18": Design((2, 2, 2, 2), expansion=1),
    "resnet34": Design((3, 4, 6, 3), expansion=1),
    "resnet50": Design((3, 4, 6, 3)),
    "resnet101": Design((3, 4, 23, 3)),
    "resnext50_32x4d": Design((3, 4, 6, 3), groups=32, group_width=4),
}
PARTS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")  # what has weights


def conv(inside: int, outside: int, kernel: int = 3, **more: int) -> nn.Conv2d:
    """Returns a convolution without bias that keeps the size, but for its stride."""
    padding = more.get("dilation", 1) * (kernel // 2)
    return nn.Conv2d(inside, outside, kernel, padding=padding, bias=False, **more)


def conv_norm_relu(inside: int, outside: int, kernel: int = 3, **more: int) -> list[nn.Module]:
    """Returns a convolution, its batch norm and a ReLU."""
    return [conv(inside, outside, kernel, **more), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """What is common to both kinds: a shortcut, convolved if the shape changes, is added."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                conv(inside, outside, 1, stride=stride), nn.BatchNorm2d(outside)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C', H', W')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.branch(x) + shortcut, inplace=True)

    def branch(self, x: Tensor) -> Tensor:
        """Returns what is added to the shortcut."""
        raise NotImplementedError


class BasicBlock(Block):
    """Two 3x3 convolutions."""

    def __init__(self, inside: int, width: int, stride: int, dilation: int, design: Design) -> None:
        super().__init__(inside, width, stride)
        self.conv1 = conv(inside, width, stride=stride, dilation=dilation)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width)
        self.bn2 = nn.BatchNorm2d(width)

    def branch(self, x: Tensor) -> Tensor:
        """Returns what is added to the shortcut."""
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(Block):
    """A 3x3 convolution, perhaps in groups, between two of one pixel."""

    def __init__(self, inside: int, width: int, stride: int, dilation: int, design: Design) -> None:
        outside = width * design.expansion
        super().__init__(inside, outside, stride)
        inner = max(width * design.group_width // 64, 1) * design.groups
        more = {"stride": stride, "dilation": dilation, "groups": design.groups}
        self.conv1 = conv(inside, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = conv(inner, inner, **more)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = conv(inner, outside, 1)
        self.bn3 = nn.BatchNorm2d(outside)

    def branch(self, x: Tensor) -> Tensor:
        """Returns what is added to the shortcut."""
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn3(self.conv3(self.relu(self.bn2(self.conv2(x)))))


class ResNet(nn.Module):
    """A stem and the stages `layer1` to `layer4`; each has twice the channels of the one before.

    Args:
        design: one of DESIGNS.
        width: channels of the stem; 64 in published networks.
        colours: channels of the input.
        dilated: whether the last stage has dilation 2 in place of its stride.

    Attributes:
        channels: of the stages.
    """

    def __init__(
        self, design: str, width: int = 64, colours: int = 3, dilated: bool = False
    ) -> None:
        super().__init__()
        found = DESIGNS[design]
        self.conv1 = nn.Conv2d(colours, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.channels = tuple(width * 2**i * found.expansion for i in range(4))
        inside = width
        for i, blocks in enumerate(found.blocks):
            is_dilated = dilated and i == 3
            stride, dilation = (1, 2) if is_dilated else (1 if i == 0 else 2, 1)
            stage = _stage(found, blocks, inside, width * 2**i, stride, dilation)
            self.add_module(f"layer{i + 1}", stage)
            inside = self.channels[i]
        self.apply(start_conv)

    def stem(self, x: Tensor) -> Tensor:
        """Returns (B, width, H/4, W/4)."""
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))


def start_conv(module: nn.Module) -> None:
    """Sets the weights of a convolution as ResNets start: He's, by what it gives."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _stage(
    design: Design, blocks: int, inside: int, width: int, stride: int, dilation: int
) -> nn.Sequential:
    block = BasicBlock if design.expansion == 1 else Bottleneck
    first = block(inside, width, stride, 1, design)  # still of the dilation before this stage
    outside = width * design.expansion
    return nn.Sequential(
        first, *(block(outside, width, 1, dilation, design) for _ in range(blocks - 1))
    )
