"""Folding: batch norm in eval mode is a factor and a shift, which the convolution before it takes.

    fast = copy.deepcopy(model).eval()
    fold(fast, foldable(fast, tapped=["s3"]))

Names of modules stay: a folded batch norm has become an identity, so taps find their modules. Which
children follow each other is what the network's family says; whether that holds for one network is
for the caller to check on a batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

import torch
from torch import nn

from slowfast_bias.models.families import family_of
from slowfast_bias.models.fast.pools import leave_out


class Pair(NamedTuple):
    """A convolution and the batch norm after it, by their `named_modules()` names."""

    conv: str
    norm: str


def foldable(model: nn.Module, tapped: Collection[str] = ()) -> list[Pair]:
    """Returns the pairs that can be folded without a change of what is read.

    Left out are modules that occur twice, that do more than torch's own (hooks, a `forward` of
    their own, weights that are computed or shared), and pairs of which one is tapped.

    Args:
        model: a network.
        tapped: names of the modules that are read.
    """
    folds, modules = family_of(model).folds, dict(model.named_modules(remove_duplicate=False))
    places = Counter(map(id, modules.values()))
    owners = Counter(id(weight) for weight in _weights(modules))
    found = []
    for name, module in model.named_modules():
        for conv, norm in folds(module):
            pair = Pair(*(f"{name}.{child}" if name else child for child in (conv, norm)))
            two = [modules.get(child) for child in pair]
            if set(pair) & set(tapped) or not _fit(*two):
                continue
            plain = all(places[id(x)] == 1 and _is_plain(x) for x in two)
            if plain and all(owners[id(w)] == 1 for x in two for w in x.parameters()):
                found.append(pair)
    return found


def _weights(modules: dict[str, nn.Module]) -> Iterable[nn.Parameter]:
    """Returns the weights of all modules, once for each module that has them."""
    unique = {id(module): module for module in modules.values()}
    return (w for x in unique.values() for w in x.parameters(recurse=False))


def _fit(conv: nn.Module | None, norm: nn.Module | None) -> bool:
    normal = isinstance(norm, nn.BatchNorm3d) and norm.running_var is not None
    return normal and isinstance(conv, nn.Conv3d) and conv.out_channels == norm.num_features


def _is_plain(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks)
    computed = hasattr(module, "parametrizations")
    return not any(hooks) and "forward" not in vars(module) and not computed


@torch.no_grad()
def fold(model: nn.Module, pairs: Iterable[Pair]) -> None:
    """Folds batch norms into the convolutions before them, in place: give it a copy."""
    for pair in pairs:
        conv, norm = model.get_submodule(pair.conv), model.get_submodule(pair.norm)
        # factors in float64; weights in their own type and place, which takes no memory
        scale = (norm.running_var.double() + norm.eps).rsqrt()
        shift = -norm.running_mean.double()
        if conv.bias is not None:
            shift = shift + conv.bias.double()
        scale = scale if norm.weight is None else scale * norm.weight.double()
        bias = shift * scale if norm.bias is None else shift * scale + norm.bias.double()
        conv.weight.mul_(scale.to(conv.weight).view(-1, *[1] * (conv.weight.ndim - 1)))
        conv.bias = nn.Parameter(bias.to(conv.weight), requires_grad=False)
        leave_out(model, [pair.norm])
