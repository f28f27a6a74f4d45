"""A copy of a network for fast bf16 inference: batch norms folded into convolutions, channels last.

Only for reading features: the copy keeps the module names, so taps find what they look for, except
that a folded batch norm has become an identity.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def prepared_for_bf16(model: nn.Module) -> nn.Module:
    """A folded channels-last copy in eval mode; run it under bf16 autocast."""
    fast = copy.deepcopy(model).eval()
    for module in list(fast.modules()):
        for conv, norm in _neighbours(module):
            _fold(module, conv, norm)
    return fast.to(memory_format=torch.channels_last_3d)


def _neighbours(module: nn.Module) -> list[tuple[str, str]]:
    """(convolution, batch norm) children by SlowFast's naming: ``a``/``a_bn``, ``conv``/``bn``.

    Of other networks nothing is folded, as names prove nothing about their forward.
    """
    children = dict(module.named_children())
    named = [(name, f"{name}_bn") for name in children]
    if type(module).__name__ == "ResNetBasicStem":
        named.append(("conv", "bn"))
    return [
        (conv, norm)
        for conv, norm in named
        if isinstance(children[conv], nn.Conv3d) and _foldable(children.get(norm))
    ]


def _foldable(norm: nn.Module | None) -> bool:
    return isinstance(norm, nn.BatchNorm3d) and norm.track_running_stats


def _fold(module: nn.Module, conv_name: str, norm_name: str) -> None:
    conv, norm = getattr(module, conv_name), getattr(module, norm_name)
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    setattr(module, norm_name, nn.Identity())
