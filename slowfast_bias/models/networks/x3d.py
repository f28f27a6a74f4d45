"""X3D: a ResNet that sees space and time with channel-wise convolutions.

Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition",
https://arxiv.org/abs/2004.04730. Parameters have the names and shapes of SlowFast's main branch, so
that its checkpoints load.

    model = X3D(width_factor=2.0, depth_factor=2.2, bottleneck_factor=2.25, frames=16, size=224)
    logits = model.train()([clips])         # (B, 3, T, H, W) -> (B, classes)

`ARGUMENTS`, `DEFAULTS` and `ONLY` say how SlowFast's config keys describe such a network.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.round_width import round_width
from slowfast_bias.models.networks.x3d_blocks import Bottleneck, ResStage, VideoModelStem, X3DStem
from slowfast_bias.models.networks.x3d_head import X3DHead
from slowfast_bias.models.networks.x3d_keys import ARGUMENTS, DEFAULTS, ONLY

__all__ = ["ARGUMENTS", "DEFAULTS", "ONLY", "X3D"]

_BLOCKS = (1, 2, 5, 3)  # of the stages s2 to s5, before the depth factor


class X3D(nn.Module):
    """A stem `s1`, the stages `s2` to `s5`, and `head`.

    Args:
        width_factor: what the widths of all stages are multiplied by.
        depth_factor: what the numbers of blocks are multiplied by, rounded up.
        bottleneck_factor: channels inside a block, of those it returns.
        first_width: channels of the stem, before the width factor.
        last_width: features that the classifier gets.
        widen_second: whether `s2` is already twice as wide as the stem.
        channelwise: whether each channel has a 3x3x3 convolution of its own.
        norm_last: whether the features are normalised before the classifier.
        drop_path: rate of stochastic depth in the last stage; less in the earlier ones.
        groups: of the 3x3x3 convolutions that are not channel-wise.
        stride_first: whether the first convolution of a block has its stride.
        zero_init: whether blocks begin as the identity.
        classifier_std: standard deviation of the classifier's first weights.
        dropout: rate before the classifier.
        classes: number of classes.
        input_channels: channels of each pathway; the first is used.
        frames: T of a clip in training.
        size: H and W of a clip in training.
        norm_eps: epsilon of the batch norms.
        norm_momentum: their momentum.
    """

    def __init__(
        self,
        *,
        width_factor: float = 1.0,
        depth_factor: float = 1.0,
        bottleneck_factor: float = 1.0,
        first_width: int = 12,
        last_width: int = 2048,
        widen_second: bool = False,
        channelwise: bool = True,
        norm_last: bool = False,
        drop_path: float = 0.0,
        groups: int = 1,
        stride_first: bool = False,
        zero_init: bool = False,
        classifier_std: float = 0.01,
        dropout: float = 0.5,
        classes: int = 400,
        input_channels: Sequence[int] = (3,),
        frames: int = 8,
        size: int = 224,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        norm = functools.partial(nn.BatchNorm3d, eps=norm_eps, momentum=norm_momentum)
        width = round_width(first_width, width_factor)
        self.s1 = VideoModelStem(X3DStem(input_channels[0], width, norm))
        for i, stage in enumerate(stage_widths(first_width, widen_second)):
            out = round_width(stage, width_factor)
            inner = int(bottleneck_factor * out)
            kind = Bottleneck(
                out, inner, inner if channelwise else groups, stride_first, drop_path * (i + 2) / 5
            )
            blocks = math.ceil((depth_factor or 1) * _BLOCKS[i])
            self.add_module(f"s{i + 2}", ResStage(width, kind, blocks, norm))
            width = out
        window = (frames, math.ceil(size / 32), math.ceil(size / 32))
        self.head = X3DHead(width, inner, last_width, classes, window, dropout, norm, norm_last)
        init_weights(self, classifier_std, zero_init)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Returns logits (B, classes) in training, probabilities otherwise.

        Args:
            inputs: one pathway of clips (B, C, T, H, W); the list stays as it is.
        """
        if len(inputs) != 1:
            raise RequestError(f"Expected one pathway of clips, but got {len(inputs)}.")
        x: Any = inputs
        for step in self.children():
            x = step(x)
        return x


def stage_widths(first: int, widen_second: bool) -> list[int]:
    """Returns the widths of the four stages, before the width factor: each twice the last."""
    widths = [round_width(first, 2, divisor=8) if widen_second else first]
    for _ in range(3):
        widths.append(round_width(widths[-1], 2, divisor=8))
    return widths


def init_weights(model: nn.Module, classifier_std: float, zero_init: bool) -> None:
    """Sets all weights to their first values: He's for convolutions, a Gaussian for the classifier.

    Args:
        model: the network.
        classifier_std: of the Gaussian.
        zero_init: whether the last batch norm of each block multiplies by zero.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm3d):
            nn.init.constant_(module.weight, 0.0 if zero_init and name.endswith(".c_bn") else 1.0)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=classifier_std)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)
