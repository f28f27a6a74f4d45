"""Prefixes: the first stages of a network, run once and replayed if their output would be the same.

A frame-wise prefix processes one frame at a time: its output for a clip with its frames reordered
is its output for the clip, reordered. So the shuffled view need not run it again (SlowOnly: stages
1 to 3). Safe only if every module of the prefix is known and has no temporal extent; an unknown
module ends the prefix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from slowfast_bias.models.families import family_of

_POINTWISE = (nn.ReLU, nn.SiLU, nn.Sigmoid, nn.Identity, nn.BatchNorm3d, nn.Dropout)


def frame_wise_prefix(model: nn.Module, inside: Collection[str] = ()) -> list[str]:
    """Returns the leading children of `model` that process one frame at a time, in eval mode.

    Args:
        model: a network whose forward runs its children one after the other, as SlowFast's
            ResNets do.
        inside: names of modules that must run each time (tapped ones); a child that has one of
            them inside ends the prefix.
    """
    prefix, plumbing = [], family_of(model).plumbing
    for name, child in model.named_children():
        is_read = any(module.startswith(f"{name}.") for module in inside)
        if is_read or not all(_sees_one_frame(module, plumbing) for module in child.modules()):
            return prefix
        prefix.append(name)
    return []  # no known network is frame-wise throughout; do not trust the scan


def _sees_one_frame(module: nn.Module, plumbing: Collection[str]) -> bool:
    if isinstance(module, nn.Conv3d):
        return module.kernel_size[0] == module.stride[0] == 1 and _first(module.padding) == 0
    if isinstance(module, (nn.MaxPool3d, nn.AvgPool3d)):
        stride = module.stride if module.stride is not None else module.kernel_size
        return _first(module.kernel_size) == _first(stride) == 1 and _first(module.padding) == 0
    if isinstance(module, _POINTWISE):
        return not module.training
    return type(module).__name__ in plumbing


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) else value


def steps_until(model: nn.Module, module: str, included: bool = True) -> list[str]:
    """Returns the steps of a forward up to `module`, and `module` too if it is one of them.

    Steps are the children of `model`; a ModuleList is replaced by its children. If `module` is
    inside a step, the list ends before that step.

    Args:
        model: a network whose forward runs its children one after the other.
        module: a `named_modules()` name.
        included: whether `module` itself may be in the list.
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
        names: modules by their `named_modules()` names, as `frame_wise_prefix` and `steps_until`
            give them.
        keep_all: False frees outputs that a later list of pathways has replaced, which saves
            memory; then nothing may read the modules before that list.
    """

    def __init__(self, model: nn.Module, names: Collection[str], keep_all: bool = True) -> None:
        self.modules = {name: model.get_submodule(name) for name in names}
        self.keep_all = keep_all
        self._outputs: dict[str, Any] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Remembers the outputs of forwards in this block."""

        def remember(name: str, forward: Any, *args: Any, **more: Any) -> Any:
            output = forward(*args, **more)
            if isinstance(output, list) and not self.keep_all:
                self._outputs = {n: _hollow(x) for n, x in self._outputs.items()}
            # the host overwrites the list that it got, so keep the tensors
            self._outputs[name] = list(output) if isinstance(output, (list, tuple)) else output
            return output

        with self._instead(remember):
            yield

    @contextmanager
    def playing(
        self, change: Callable[[torch.Tensor], torch.Tensor] | None = None, forget: bool = True
    ) -> Iterator[None]:
        """Replaces the modules, in forwards of this block, by their outputs, each tensor changed.

        `forget` frees memory during the block; without it the outputs can be played again.
        """

        def changed(x: Any) -> Any:
            return change(x) if change is not None and isinstance(x, torch.Tensor) else x

        def recall(name: str, forward: Any, *args: Any, **more: Any) -> Any:
            output = self._outputs.pop(name) if forget else self._outputs[name]
            return [changed(x) for x in output] if isinstance(output, list) else changed(output)

        with self._instead(recall):
            yield

    @contextmanager
    def _instead(self, act: Any) -> Iterator[None]:
        # a module may have a `forward` of its own, another tool's patch: it is run, and put back
        before = {name: vars(module).get("forward") for name, module in self.modules.items()}
        try:
            for name, module in self.modules.items():
                forward = module.forward
                module.forward = functools.partial(act, name, forward)
            yield
        finally:
            for name, module in self.modules.items():
                vars(module).pop("forward", None)
                if before[name] is not None:
                    module.forward = before[name]


def _hollow(output: Any) -> Any:
    return [None] * len(output) if isinstance(output, list) else None
