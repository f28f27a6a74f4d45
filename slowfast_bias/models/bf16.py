"""A copy of a network for fast bf16 inference: batch norms folded into convolutions, channels last.

Only for reading features: the copy keeps the module names, so taps find their modules, but a folded
batch norm has become an identity.
"""

from __future__ import annotations

import copy
from collections.abc import Collection

import torch
from torch import nn

from slowfast_bias.models.fast.folding import fold, foldable


def prepared_for_bf16(model: nn.Module, tapped: Collection[str] = ()) -> nn.Module:
    """Returns a folded channels-last copy in eval mode; run it under bf16 autocast.

    Only the modules that the network's family names are folded, and none that is `tapped`.
    """
    fast = copy.deepcopy(model).eval()
    fold(fast, foldable(fast, tapped))
    for weight in fast.parameters():
        if weight.ndim == 5:  # `Module.to` fails if a convolution of pictures is among them
            weight.data = weight.data.to(memory_format=torch.channels_last_3d)
    return fast
