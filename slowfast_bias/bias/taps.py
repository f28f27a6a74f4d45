"""Taps: listen to modules of a network that is not ours, and leave no trace.

    with tapped(model, [Tap("s5"), Tap("head.dropout", channels_last=True)]) as features:
        model(clips)
        features                              # {"s5": (B, C), "head.dropout": (B, C)}

Features are pooled inside the hook, so no activation is kept. `features` holds the latest
forward; the next one starts it afresh (copy with `dict(features)`). A module that returns several
pathways gives "s5/0", "s5/1". Every hook is gone when the block ends, however it ends.

This is the only file of the package that registers hooks. Nothing here adds a module to the model:
some networks (X3D) run whatever children they find.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class Tap:
    """A module to listen to, and how to read it.

    Attributes:
        module: its name in `model.named_modules()`.
        channels_last: its tensors are (B, ..., C) instead of (B, C, ...).
        of: "output", or "input": the module's first positional argument.
        fires: what to do with a module that runs several times in one forward (shared weights):
            "once" calls that an error, "first" and "last" say which run counts.
        name: what the layer is called in reports; the module's name if not given.
        skip_tokens: for tokens (B, L, C), how many leading ones (class token) stay out of the mean.
    """

    module: str
    channels_last: bool = False
    of: str = "output"
    fires: str = "once"
    name: str | None = None
    skip_tokens: int = 0

    def __post_init__(self) -> None:
        for field, allowed in (("of", ("output", "input")), ("fires", ("once", "first", "last"))):
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"Expected `{field}` of Tap({self.module!r}) to be one of {allowed}, "
                    f"but got {getattr(self, field)!r}."
                )
        if self.skip_tokens and not self.channels_last:
            raise ValueError(
                f"Expected `channels_last=True` with `skip_tokens` for Tap({self.module!r}): "
                "tokens are (B, L, C)."
            )

    @property
    def label(self) -> str:
        """The layer's name in features and reports."""
        return self.name or self.module


def as_taps(taps: Iterable[Tap | str]) -> list[Tap]:
    """Return `taps` as Tap objects, plain strings being module names; labels must differ."""
    found = [Tap(tap) if isinstance(tap, str) else tap for tap in taps]
    labels = [tap.label for tap in found]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice or not found:
        raise ValueError(
            f"Expected `taps` to be at least one tap with labels that differ, but got {labels}"
            + (f"; give one of {twice} another `name`." if twice else ".")
        )
    return found


@contextmanager
def tapped(model: nn.Module, taps: Iterable[Tap | str]) -> Iterator[dict[str, Tensor]]:
    """Yield {layer: (B, C)}, filled by every forward of `model`, in the order in which layers run.

    Does not change the model's mode or autograd; the features carry no gradient.
    """
    taps = as_taps(taps)
    modules = [find_module(model, tap.module) for tap in taps]
    ear = _Ear(taps)
    handles: list[RemovableHandle] = []
    try:
        handles.append(model.register_forward_pre_hook(ear.begin))
        for tap, module in zip(taps, modules, strict=True):
            handles.append(ear.attach(tap, module))
        handles.append(model.register_forward_hook(ear.end))  # last: after a tap on the root
        yield ear.features
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def rewriting(model: nn.Module, module: str, rewrite: Callable[[Any], Any]) -> Iterator[nn.Module]:
    """Replace what the module named `module` returns by `rewrite(output)`, until the block ends.

    Yields the module. A tap opened inside the block hears the rewritten output.
    """

    def hook(_: nn.Module, __: tuple, output: Any) -> Any:
        changed = rewrite(output)
        if changed is None:  # torch would silently keep the old output
            raise ValueError(
                f"Expected `rewrite` to return the new output of {module!r}, got None."
            )
        return changed

    target = find_module(model, module)
    handle = target.register_forward_hook(hook)
    try:
        yield target
    finally:
        handle.remove()


def find_module(model: nn.Module, name: str) -> nn.Module:
    """Return the module that `model.named_modules()` calls `name`."""
    modules = dict(model.named_modules())
    if name in modules:
        return modules[name]
    names = [other for other in modules if other]
    near = difflib.get_close_matches(name, names, n=3)
    top = [child for child, _ in model.named_children()]
    raise ValueError(
        f"Expected a module of {type(model).__name__}, but got {name!r}; "
        + (f"did you mean {' or '.join(map(repr, near))}? " if near else "")
        + f"It has {', '.join(top[:12]) or 'no modules'}{', ...' if len(top) > 12 else ''} "
        f"({len(names)} names in `named_modules()`)."
    )


class _Ear:
    """The hooks of one `tapped` block and what they heard."""

    def __init__(self, taps: list[Tap]) -> None:
        self.taps = taps
        self.features: dict[str, Tensor] = {}
        self.heard: set[str] = set()

    def attach(self, tap: Tap, module: nn.Module) -> RemovableHandle:
        # The input is read before the module runs: it may work in place.
        if tap.of == "input":
            return module.register_forward_pre_hook(
                lambda _, args: self.hear(tap, args[0] if args else None)
            )
        return module.register_forward_hook(lambda _, __, output: self.hear(tap, output))

    def begin(self, *_: Any) -> None:
        self.features.clear()
        self.heard.clear()

    def hear(self, tap: Tap, value: Any) -> None:
        if tap.label in self.heard:
            if tap.fires == "first":
                return
            if tap.fires == "once":
                raise ValueError(
                    f"Expected {tap.module!r} to run once in a forward, but it runs several times "
                    f"(shared weights?); choose Tap({tap.module!r}, fires='first') or 'last'."
                )
        self.heard.add(tap.label)
        self.features.update(read(tap, value))

    def end(self, model: nn.Module, *_: Any) -> None:
        silent = [tap.module for tap in self.taps if tap.label not in self.heard]
        if silent:
            raise ValueError(
                f"Expected every tapped module to run in the forward of {type(model).__name__}, "
                f"but {silent} did not."
            )


def read(tap: Tap, value: Any) -> dict[str, Tensor]:
    """Return {layer: (B, C)} from what a tapped module returned (or received)."""
    tensors = _tensors(tap, value)
    if len(tensors) == 1:
        return {tap.label: _pool(tap, tensors[0])}
    return {f"{tap.label}/{i}": _pool(tap, x) for i, x in enumerate(tensors)}


def _tensors(tap: Tap, value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        # All tensors: pathways. Else the first is the features, as in MViT's (x, thw).
        return list(value) if all(isinstance(x, Tensor) for x in value) else [value[0]]
    inside = f" of {[type(x).__name__ for x in value]}" if isinstance(value, (list, tuple)) else ""
    raise ValueError(
        f"Expected the {tap.of} of {tap.module!r} to be a tensor, a list of tensors (pathways) or "
        f"a tuple that starts with a tensor, but got {type(value).__name__}{inside}."
    )


def _pool(tap: Tap, x: Tensor) -> Tensor:
    """Return the mean of `x` over everything but batch and channels, (B, C), at least float32."""
    tokens = x.ndim - 2 if tap.channels_last else 0
    if x.ndim < 2 or not x.is_floating_point() or (tokens and x.shape[1] <= tap.skip_tokens):
        raise ValueError(
            f"Expected the {tap.of} of {tap.module!r} to be floats (B, C, ...) or, with "
            f"channels_last, (B, ..., C) with more than {tap.skip_tokens} tokens, "
            f"but got {tuple(x.shape)} of {x.dtype}."
        )
    x = x.detach()
    dtype = torch.promote_types(x.dtype, torch.float32)
    if x.ndim == 2:
        return x.to(dtype, copy=True)  # the host may go on working in this very memory
    if tap.channels_last:
        return x[:, tap.skip_tokens :].mean(dim=tuple(range(1, x.ndim - 1)), dtype=dtype)
    return x.mean(dim=tuple(range(2, x.ndim)), dtype=dtype)
