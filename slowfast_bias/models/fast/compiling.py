"""Compiled parts: `torch.compile` for the largest modules of a network that have no tap inside.

A tap is a hook, which a compiled forward would take in or leave out; so what is tapped itself is
compiled, its hooks run outside, and what has a tap inside is split into its children.

On a CPU weights are frozen: the compiler brings them into oneDNN's own order once, and lets
convolutions do the rectifiers and sums after them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import nn


def compile_parts(model: nn.Module, tapped: Collection[str]) -> list[str]:
    """Compiles parts of `model`, in place (give it a copy), and returns their names.

    Args:
        model: a network in eval mode.
        tapped: names of the modules that are read.
    """
    names = _parts(model, "", set(tapped))
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    how: dict[str, Any] = {}
    if "isolate_recompiles" in inspect.signature(torch.compile).parameters:
        # parts of one class share their code, and would share its limit of eight forms
        how["isolate_recompiles"] = True
    for name in names:
        module = model.get_submodule(name)
        # every size by itself: convolutions of any size are slower than those of one
        compiled = torch.compile(module.forward, dynamic=False, **how)
        module.forward = _with_frozen_weights(compiled) if on_cpu else compiled
    return names


def _with_frozen_weights(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a compiled forward that freezes weights.

    The setting must hold whenever it compiles, at the first call with each size: as an option of
    `torch.compile` it comes too late, after weights have become inputs.
    """
    from torch._inductor import config

    def forward(*args: Any, **more: Any) -> Any:
        with config.patch(freezing=True):
            return compiled(*args, **more)

    return forward


def _parts(module: nn.Module, name: str, tapped: set[str]) -> list[str]:
    is_whole = bool(name) and not any(tap.startswith(f"{name}.") for tap in tapped)
    if is_whole and type(module) not in (nn.ModuleList, nn.ModuleDict):
        return [name] if any(True for _ in module.parameters()) else []
    prefix = f"{name}." if name else ""
    children = module.named_children()
    return [part for key, child in children for part in _parts(child, f"{prefix}{key}", tapped)]
