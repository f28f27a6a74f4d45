"""One stream of RTNet: a ResNet, what leads from its stages to a decoder, and the decoder.

Names are those of the authors' files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from slowfast_bias.models.segmentation.maps import enlarge
from slowfast_bias.models.segmentation.resnet import ResNet, conv_norm_relu

_DILATIONS = (1, 2, 4, 8)


class StreamNet(nn.Module):
    """A stream of its own; both streams of RTNet are one.

    Args:
        trunk: one of `resnet.DESIGNS`.
        width: channels of its stem.
        colours: channels of its input.

    Attributes:
        channels: of the stages 2 to 5.
    """

    def __init__(self, trunk: str, width: int, colours: int) -> None:
        super().__init__()
        net = ResNet(trunk, width, colours)
        self.channels = net.channels
        self.inconv = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
        narrow = [width, 2 * width, 4 * width]
        for i in (1, 2, 3, 4):
            self.add_module(f"encoder{i}", net.get_submodule(f"layer{i}"))
        self.has_bridges = net.channels[0] != width  # a small ResNet has narrow stages already
        if self.has_bridges:
            for i, channels in enumerate(narrow, start=1):
                bridge = nn.Sequential(*conv_norm_relu(net.channels[i - 1], channels, 1))
                self.add_module(f"bridge{i}", bridge)
        self._add_decoder(net.channels[3], width)

    def _add_decoder(self, last: int, width: int) -> None:
        if self.has_bridges:
            self.dilation0 = nn.Sequential(*conv_norm_relu(last, 8 * width, 1))
        for i, dilation in enumerate(_DILATIONS, start=1):
            holes = conv_norm_relu(last, 8 * width, dilation=dilation)
            self.add_module(f"dilation{i}", nn.Sequential(*holes))
        inside, outside = 5 * 8 * width, 4 * width
        for i, middle in ((4, 8), (3, 4), (2, 2), (1, 1)):
            self.add_module(f"decoder{i}", Step(inside, middle * width, outside))
            self.add_module(f"out{i}", Out(outside, width))
            inside, outside = 2 * outside, max(outside // 2, width)

    def narrowed(self, i: int, stage: Tensor) -> Tensor:
        """Returns the stage i + 1 as the decoder takes it, i from 1 to 3."""
        return self.get_submodule(f"bridge{i}")(stage) if self.has_bridges else stage

    def decode(
        self,
        stages: Sequence[Tensor],
        size: Sequence[int],
        beside: Callable[[int], Tensor],
        first: Callable[[Tensor], Tensor] = lambda x: x,
        all_outputs: bool = True,
    ) -> list[Tensor]:
        """Returns logits (N, 1, H, W), the finest first.

        Args:
            stages: 2 to 5.
            size: H and W.
            beside: gives what is decoded beside the coarser features, of step 1 to 3.
            first: what is done to the coarsest features.
            all_outputs: whether each step gives a mask, not the last one alone.
        """
        x = first(self.decoder4(self._with_holes(stages[3])))
        found = [self.out4(x, size)] if all_outputs else []
        for i in (3, 2, 1):
            x = torch.cat([enlarge(x, stages[i - 1].shape[2:], corners=True), beside(i)], 1)
            x = self.get_submodule(f"decoder{i}")(x)
            if all_outputs or i == 1:
                found.insert(0, self.get_submodule(f"out{i}")(x, size))
        return found

    def _with_holes(self, x: Tensor) -> Tensor:
        parts = [self.dilation0(x) if self.has_bridges else x]
        return torch.cat([*parts, *(self.get_submodule(f"dilation{i}")(x) for i in range(1, 5))], 1)


class Step(nn.Module):
    """Three convolutions."""

    def __init__(self, inside: int, middle: int, outside: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *conv_norm_relu(inside, middle),
            *conv_norm_relu(middle, middle),
            *conv_norm_relu(middle, outside),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, C', h, w)."""
        return self.layer(x)


class Out(nn.Module):
    """A mask of one step of a decoder."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*conv_norm_relu(inside, width))
        self.conv2 = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Returns logits (N, 1, H, W)."""
        return self.conv2(enlarge(self.conv1(x), size, corners=True))
