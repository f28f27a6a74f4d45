"""Channels last in memory: (B, C, T, H, W) tensors whose channels lie side by side.

oneDNN's convolutions read and write that layout as it is. In torch's usual one each of them first
brings its input into a layout of its own and then its output back.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYOUT = torch.channels_last_3d


class OneDnnConv3d(nn.Conv3d):
    """`nn.Conv3d` that oneDNN always runs.

    With one thread torch gives kernels of one pixel to code that knows the usual layout alone, and
    copies to and fro; with several it does not. So the number of threads would decide whether the
    layout pays.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Returns the convolution of x (B, C, T, H, W)."""
        known = x.ndim == 5 and x.dtype == self.weight.dtype == torch.float32
        other = torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling()
        if not known or other or torch.is_grad_enabled():
            return super().forward(x)
        return torch.mkldnn_convolution(
            x, self.weight, self.bias, self.padding, self.stride, self.dilation, self.groups
        )


def gains(model: nn.Module) -> bool:
    """Returns whether channels last makes forwards of this network faster: the rule of "auto".

    It does on a CPU with oneDNN in float32 if more of the layers with weights are convolutions over
    time and space than are not. The rule asks no clock, so that the same command gives the same
    bits whatever else the machine does.
    """
    weights = list(model.parameters())
    single = bool(weights) and all(
        w.device.type == "cpu" and w.dtype == torch.float32 for w in weights
    )
    if not single or not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:
        return False
    convs = [isinstance(x, nn.Conv3d) for x in model.modules() if _has_weights(x)]
    return 2 * sum(convs) > len(convs)


def _has_weights(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim > 1


def in_channels_last(model: nn.Module) -> None:
    """Brings the convolutions of `model` into that layout, in place: give it a copy."""
    one_dnn = gains(model)
    for module in model.modules():
        if not isinstance(module, nn.Conv3d):
            continue
        weight = module.weight.detach().contiguous(memory_format=LAYOUT)
        module.weight = nn.Parameter(weight, requires_grad=False)
        if one_dnn and type(module) is nn.Conv3d and _is_simple(module):
            module.__class__ = OneDnnConv3d


def learnt_in_channels_last(model: nn.Module) -> None:
    """Brings the weights of convolutions over time and space into that layout, for training.

    They stay the parameters that an optimizer knows; what passes through follows their layout.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv3d):
            module.weight.data = module.weight.data.contiguous(memory_format=LAYOUT)


def _is_simple(conv: nn.Conv3d) -> bool:
    return conv.padding_mode == "zeros" and not isinstance(conv.padding, str)
