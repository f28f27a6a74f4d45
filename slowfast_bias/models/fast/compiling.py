"""Compiled parts: `torch.compile` for the largest modules of a network that have no tap inside.

A tap is a hook, which a compiled forward would take in or leave out; so what is tapped itself is
compiled, its hooks run outside, and what has a tap inside is split into its children.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn


def compile_parts(model: nn.Module, tapped: Collection[str]) -> list[str]:
    """Compiles parts of `model`, in place (give it a copy), and returns their names.

    Args:
        model: a network in eval mode.
        tapped: names of the modules that are read.
    """
    names = _parts(model, "", set(tapped))
    for name in names:
        module = model.get_submodule(name)
        module.forward = torch.compile(module.forward)
    return names


def _parts(module: nn.Module, name: str, tapped: set[str]) -> list[str]:
    is_whole = bool(name) and not any(tap.startswith(f"{name}.") for tap in tapped)
    if is_whole and type(module) not in (nn.ModuleList, nn.ModuleDict):
        return [name] if any(True for _ in module.parameters()) else []
    prefix = f"{name}." if name else ""
    children = module.named_children()
    return [part for key, child in children for part in _parts(child, f"{prefix}{key}", tapped)]
