"""The network that SlowFast's loop works on: meters are given its config, if that, but not it.

The networks registered here, and a wrapped `build_model` for all others, leave it in this place. A
weak reference, so that a network lives as long as it would without us.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from fvcore.common.config import CfgNode
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from slowfast_bias.errors import PluginError


class Current(NamedTuple):
    """A network, not wrapped for several processes, and the config that it was built from."""

    model: nn.Module
    cfg: CfgNode


_last: tuple[weakref.ref[nn.Module], CfgNode] | None = None


def remember(model: nn.Module, cfg: CfgNode) -> None:
    """Makes `model` the current one."""
    global _last
    inner = model.module if isinstance(model, DistributedDataParallel) else model
    _last = weakref.ref(inner), cfg


def current() -> Current:
    """Returns the network that was built last; PluginError if there is none."""
    model = _last[0]() if _last is not None else None
    if model is None or _last is None:
        raise PluginError(
            "Expected a network built by slowfast.models.build_model before its meters are made, "
            "as in SlowFast's train_net.py and test_net.py, but got none. Call "
            "`slowfast_bias.plugin.current_model.remember(model, cfg)` where your fork builds it, "
            "or set BIAS.ENABLE False."
        )
    return Current(model, _last[1])


def wrap_build_model(
    models: ModuleType, build: ModuleType, check: Callable[[CfgNode], None]
) -> None:
    """Makes `build_model` check the BIAS keys of its config and leave its network here, once.

    Args:
        models: `slowfast.models`, from which SlowFast's tools import it.
        build: `slowfast.models.build`, in which it is.
        check: raises what is wrong with the keys.
    """
    theirs: Callable[..., nn.Module] = build.build_model
    if getattr(theirs, "leaves_its_network", False):
        return

    @functools.wraps(theirs)
    def build_model(cfg: CfgNode, *args: Any, **kwargs: Any) -> nn.Module:
        check(cfg)  # here every way into SlowFast's loop meets
        model = theirs(cfg, *args, **kwargs)
        remember(model, cfg)
        return model

    build_model.leaves_its_network = True  # type: ignore[attr-defined]
    for module in (models, build):
        if getattr(module, "build_model", None) is theirs:
            module.build_model = build_model  # type: ignore[attr-defined]
