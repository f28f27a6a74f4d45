"""The head of DeepLabv3+: holes of several sizes on the last stage, then a finer one beside it.

Chen et al., "Encoder-Decoder with Atrous Separable Convolution", https://arxiv.org/abs/1802.02611;
its convolutions here are plain ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slowfast_bias.models.segmentation.maps import enlarge
from slowfast_bias.models.segmentation.resnet import conv_norm_relu

_DILATIONS = (6, 12, 18)  # for output stride 16
_CLASSES = 2  # background, foreground


class Head(nn.Module):
    """Two logits for each place of the fine stage.

    Args:
        fine: channels of the second stage.
        coarse: channels of the fifth stage.
        width: channels inside.
        narrow: channels that the second stage is brought down to.
    """

    def __init__(self, fine: int, coarse: int, width: int, narrow: int) -> None:
        super().__init__()
        self.project = nn.Sequential(*conv_norm_relu(fine, narrow, 1))
        self.aspp = Pyramid(coarse, width)
        self.classifier = nn.Sequential(
            *conv_norm_relu(width + narrow, width), nn.Conv2d(width, _CLASSES, 1)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Returns logits (N, 2, h, w), h and w of the fine stage."""
        fine = self.project(fine)
        return self.classifier(torch.cat([fine, enlarge(self.aspp(coarse), fine.shape[2:])], 1))


class Pyramid(nn.Module):
    """A convolution of a pixel, three with holes, and the mean of all places, side by side."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        branches = [conv_norm_relu(inside, width, 1)]
        branches += [conv_norm_relu(inside, width, dilation=d) for d in _DILATIONS]
        branches += [[nn.AdaptiveAvgPool2d(1), *conv_norm_relu(inside, width, 1)]]
        self.convs = nn.ModuleList(nn.Sequential(*branch) for branch in branches)
        self.project = nn.Sequential(
            *conv_norm_relu(len(branches) * width, width, 1), nn.Dropout(0.1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, width, h, w)."""
        found = [branch(x).expand(-1, -1, *x.shape[2:]) for branch in self.convs]
        return self.project(torch.cat(found, 1))
