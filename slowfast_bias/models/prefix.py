"""Frame-wise prefixes: the first stages of a network that see one frame at a time.

Their output for a clip with its frames reordered is their output for the clip, reordered. So the
shuffled view need not run them again (SlowOnly: stages 1 to 3). Safe only where every module of the
prefix is known and has no temporal extent; whatever is not known ends the prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

# Modules that only call their children and add up what they return (SlowFast's own, by name: this
# floor knows no host). A non-local block is none of them: it looks across time with 1x1x1 kernels.
_PLUMBING = frozenset(
    ("VideoModelStem", "ResNetBasicStem", "ResStage", "ResBlock", "BottleneckTransform",
     "BasicTransform", "ModuleList", "Sequential")
)  # fmt: skip
_POINTWISE = (nn.ReLU, nn.SiLU, nn.Sigmoid, nn.Identity, nn.BatchNorm3d, nn.Dropout)


def frame_wise_prefix(model: nn.Module, inside: Collection[str] = ()) -> list[str]:
    """The leading children of ``model`` that see one frame at a time, in eval mode.

    Args:
        model: a network whose forward runs its children one after the other, as SlowFast's
            ResNets do.
        inside: names of modules that must really run (tapped ones); a child that has one of them
            inside ends the prefix.
    """
    prefix = []
    for name, child in model.named_children():
        listened_to = any(module.startswith(f"{name}.") for module in inside)
        if listened_to or not all(_sees_one_frame(module) for module in child.modules()):
            return prefix
        prefix.append(name)
    return []  # a network that is frame-wise to its very end is none that we know


def _sees_one_frame(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv3d):
        return module.kernel_size[0] == module.stride[0] == 1 and _first(module.padding) == 0
    if isinstance(module, (nn.MaxPool3d, nn.AvgPool3d)):
        stride = module.stride if module.stride is not None else module.kernel_size
        return _first(module.kernel_size) == _first(stride) == 1 and _first(module.padding) == 0
    if isinstance(module, _POINTWISE):
        return not module.training
    return type(module).__name__ in _PLUMBING


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) else value


class Replay:
    """Remembers what the prefix returned for one batch, and returns it again, reordered."""

    def __init__(self, model: nn.Module, prefix: Collection[str]) -> None:
        self.modules = {name: getattr(model, name) for name in prefix}
        self._outputs: dict[str, Any] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Forwards in this block are remembered."""

        def remember(name: str, forward: Any, *args: Any) -> Any:
            output = forward(*args)
            # the host overwrites the list it got, so keep the tensors
            self._outputs[name] = list(output) if isinstance(output, (list, tuple)) else output
            return output

        with self._instead(remember):
            yield

    @contextmanager
    def playing(self, reorder: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
        """Forwards in this block skip the prefix and get its outputs (B, C, T, H, W) reordered."""

        def recall(name: str, forward: Any, *args: Any) -> Any:
            output = self._outputs.pop(name)
            return [reorder(x) for x in output] if isinstance(output, list) else reorder(output)

        with self._instead(recall):
            yield

    @contextmanager
    def _instead(self, act: Any) -> Iterator[None]:
        try:
            for name, module in self.modules.items():
                forward = type(module).forward.__get__(module)
                module.forward = lambda *a, n=name, f=forward: act(n, f, *a)
            yield
        finally:
            for module in self.modules.values():
                module.__dict__.pop("forward", None)
