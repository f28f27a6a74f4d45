"""Learning rates of parts of a network."""

from __future__ import annotations

import torch
from torch import nn

from slowfast_bias.models.families import family_of

_SCALE = "layer_decay"  # the host's name for a group's multiple of the rate


def give_decoder_its_rate(
    model: nn.Module, optimizer: torch.optim.Optimizer, multiple: float
) -> None:
    """Splits the groups of an optimiser, so that the decoder learns at a multiple of the rate."""
    if multiple == 1:
        return
    decoder = {id(x) for x in model.get_submodule(family_of(model).decoder).parameters()}
    for group in list(optimizer.param_groups):
        mine = [x for x in group["params"] if id(x) in decoder]
        if not mine:
            continue
        group["params"] = [x for x in group["params"] if id(x) not in decoder]
        scale = multiple * group.get(_SCALE, 1.0)
        optimizer.add_param_group({**group, "params": mine, _SCALE: scale})
