"""A copy of a network for fast bf16 inference: batch norms folded into convolutions, channels last.

Only for reading features: the copy keeps the module names, so taps find their modules, but a folded
batch norm has become an identity.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from slowfast_bias.models.families import family_of


def prepared_for_bf16(model: nn.Module) -> nn.Module:
    """Returns a folded channels-last copy in eval mode; run it under bf16 autocast.

    Only the modules that the network's family names are folded.
    """
    fast, folds = copy.deepcopy(model).eval(), family_of(model).folds
    for module in list(fast.modules()):
        for conv, norm in folds(module):
            if _foldable(getattr(module, conv), getattr(module, norm)):
                fused = fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm))
                setattr(module, conv, fused)
                setattr(module, norm, nn.Identity())
    for weight in fast.parameters():
        if weight.ndim == 5:  # `Module.to` fails if a convolution of pictures is among them
            weight.data = weight.data.to(memory_format=torch.channels_last_3d)
    return fast


def _foldable(conv: nn.Module, norm: nn.Module) -> bool:
    normal = isinstance(norm, nn.BatchNorm3d) and norm.track_running_stats
    return isinstance(conv, nn.Conv3d) and normal
