"""Pools of one value: some networks (SlowOnly) have a maximum over 1 x 1 x 1, which only copies."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn


def idle_pools(model: nn.Module, tapped: Collection[str] = ()) -> list[str]:
    """Returns the names of pools that change nothing and are not tapped."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, (nn.MaxPool3d, nn.AvgPool3d)) and _is_idle(module, name in tapped)
    ]


def _is_idle(pool: nn.MaxPool3d | nn.AvgPool3d, is_tapped: bool) -> bool:
    sizes = {_size(pool.kernel_size), _size(pool.stride)}
    scaled = getattr(pool, "return_indices", False) or getattr(pool, "divisor_override", None)
    hooks = pool._forward_hooks or pool._forward_pre_hooks or "forward" in vars(pool)
    padded = _size(pool.padding) != (0, 0, 0)
    return sizes == {(1, 1, 1)} and not (padded or scaled or hooks or is_tapped)


def _size(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * 3


def leave_out(model: nn.Module, names: Collection[str]) -> None:
    """Puts identities in the place of modules, in place: give it a copy."""
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, nn.Identity().eval())
