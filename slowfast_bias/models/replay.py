"""Prefixes: the first stages of a network, run once and replayed where they would say the same.

A frame-wise prefix sees one frame at a time: its output for a clip with its frames reordered is
its output for the clip, reordered. So the shuffled view need not run it again (SlowOnly: stages 1
to 3). Safe only where every module of the prefix is known and has no temporal extent; whatever is
not known ends the prefix.
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


def steps_until(model: nn.Module, module: str, included: bool = True) -> list[str]:
    """The steps of a forward that come before ``module``, and it too where it is one of them.

    Steps are the children of ``model``, those of a ModuleList in its place. A module inside a step
    ends the list before that step.

    Args:
        model: a network whose forward runs its children one after the other.
        module: a ``named_modules()`` name.
        included: False leaves ``module`` itself out.
    """
    steps: list[str] = []
    for name, child in model.named_children():
        inner = [f"{name}.{i}" for i in range(len(child))] if type(child) is nn.ModuleList else None
        steps += [name] if inner is None else inner
    for i, step in enumerate(steps):
        if module == step:
            return steps[: i + included]
        if module.startswith(f"{step}."):
            return steps[:i]
    return []


class Replay:
    """Remembers what some modules returned for one batch, and returns it again instead of running.

    Args:
        model: a network whose forward runs `names` one after the other, each once.
        names: modules by their ``named_modules()`` names, as `frame_wise_prefix` and `steps_until`
            give them.
        keep_all: False lets go of what a later list of pathways has replaced, which saves memory;
            nothing may then listen to the modules before that list.
    """

    def __init__(self, model: nn.Module, names: Collection[str], keep_all: bool = True) -> None:
        self.modules = {name: model.get_submodule(name) for name in names}
        self.keep_all = keep_all
        self._outputs: dict[str, Any] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Forwards in this block are remembered."""

        def remember(name: str, forward: Any, *args: Any) -> Any:
            output = forward(*args)
            if isinstance(output, list) and not self.keep_all:
                self._outputs = {n: _hollow(x) for n, x in self._outputs.items()}
            # the host overwrites the list it got, so keep the tensors
            self._outputs[name] = list(output) if isinstance(output, (list, tuple)) else output
            return output

        with self._instead(remember):
            yield

    @contextmanager
    def playing(
        self, change: Callable[[torch.Tensor], torch.Tensor] | None = None, forget: bool = True
    ) -> Iterator[None]:
        """Forwards in this block skip the modules and get their outputs, each tensor changed.

        `forget` gives memory free while it plays, once; without it the outputs can be played again.
        """

        def changed(x: Any) -> Any:
            return change(x) if change is not None and isinstance(x, torch.Tensor) else x

        def recall(name: str, forward: Any, *args: Any) -> Any:
            output = self._outputs.pop(name) if forget else self._outputs[name]
            return [changed(x) for x in output] if isinstance(output, list) else changed(output)

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


def _hollow(output: Any) -> Any:
    return [None] * len(output) if isinstance(output, list) else None
