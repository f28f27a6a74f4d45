"""Taps: read modules of a network that is not ours, and leave no trace.

    with tapped(model, [Tap("s5"), Tap("head.dropout", channels_last=True)]) as features:
        model(clips)
        features                              # {"s5": (B, C), "head.dropout": (B, C)}

Features are pooled inside the hook, so no activation is kept. `features` holds the latest
forward; the next one starts it afresh (copy with `dict(features)`). A module that returns several
pathways gives "s5/0", "s5/1". `features.axes` says how each layer was read. Every hook is gone when
the block ends, however it ends.

    with tapped(model, ["s5"], read=whole) as features:
        model(clips)
        features["s5"][:, 7].mean().backward()     # (B, C, T, H, W), with its gradient

This is the only file of the package that registers hooks. Nothing here adds a module to the model:
some networks (X3D) run whatever children they find.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from slowfast_bias.bias.axes import Axes, Given, find_axes
from slowfast_bias.bias.tap import Read, Tap, argument_of, as_taps, input_of, whole
from slowfast_bias.errors import LayerError

__all__ = ["Features", "Tap", "as_taps", "find_module", "rewriting", "tapped", "whole"]


class Features(dict[str, Tensor]):
    """{layer: (B, C)} of the latest forward.

    Attributes:
        axes: {layer: how its tensors were read}.
        clips: number of clips of the next forward, if its first argument does not say it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.axes: dict[str, Axes] = {}
        self.clips: int | None = None


@contextmanager
def tapped(
    model: nn.Module, taps: Iterable[Tap | str], read: Read | None = None, gradient: bool = False
) -> Iterator[Features]:
    """Yields {layer: (B, C)}, filled by every forward of `model`, in the order in which layers run.

    Does not change the model's mode or autograd.

    Args:
        model: any network.
        taps: the modules to read.
        read: what is kept of each: None for means over time and space, a row a clip, or `whole`
            (the tensors themselves, with their gradient).
        gradient: whether the means keep their gradient; `whole` always does.
    """
    taps = as_taps(taps)
    modules = [find_module(model, tap.module) for tap in taps]
    recorder = _Recorder(model, taps, read, gradient)
    handles: list[RemovableHandle] = []
    try:
        handles.append(model.register_forward_pre_hook(recorder.begin, with_kwargs=True))
        for tap, module in zip(taps, modules, strict=True):
            handles.append(recorder.attach(tap, module))
        handles.append(model.register_forward_hook(recorder.end))  # last: after a tap on the root
        yield recorder.features
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def rewriting(
    model: nn.Module, tap: Tap | str, rewrite: Callable[[Any], Any]
) -> Iterator[nn.Module]:
    """Replaces what a module returns, or gets, by `rewrite(it)`, until the block ends.

    Yields the module. A tap opened inside the block reads the rewritten value.

    Args:
        model: any network.
        tap: the module, and whether its output or its input is rewritten.
        rewrite: gives the new value; None is an error.
    """
    tap = Tap(tap) if isinstance(tap, str) else tap

    def changed(value: Any) -> Any:
        new = rewrite(value)
        if new is None:  # torch would silently keep the old value
            raise LayerError(
                f"Expected `rewrite` to return the new {tap.of} of {tap.module!r}, got None."
            )
        return new

    def change_input(_: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple:
        key = argument_of(tap, args, kwargs)
        if key is None:
            return (changed(args[0]), *args[1:]), kwargs
        return args, {**kwargs, key: changed(kwargs[key])}

    target = find_module(model, tap.module)
    if tap.of == "input":
        handle = target.register_forward_pre_hook(change_input, with_kwargs=True)
    else:
        handle = target.register_forward_hook(lambda _, __, output: changed(output))
    try:
        yield target
    finally:
        handle.remove()


def find_module(model: nn.Module, name: str) -> nn.Module:
    """Returns the module that `model.named_modules()` calls `name`."""
    modules = dict(model.named_modules())
    if name in modules:
        return modules[name]
    names = [other for other in modules if other]
    near = difflib.get_close_matches(name, names, n=3)
    top = [child for child, _ in model.named_children()]
    raise LayerError(
        f"Expected a module of {type(model).__name__}, but got {name!r}"
        + (f"; did you mean {' or '.join(map(repr, near))}? " if near else ". ")
        + f"It has {', '.join(top[:12]) or 'no modules'}{', ...' if len(top) > 12 else ''} "
        f"({len(names)} names in `named_modules()`)."
    )


def match_modules(model: nn.Module, pattern: str) -> list[str]:
    """Returns the modules that a pattern names, in network order; ValueError if there are none.

    `*` stands for anything but a dot, `**` for anything: "Mixed_*", "blocks.*", "**.attn".
    """
    if "*" not in pattern:
        find_module(model, pattern)
        return [pattern]
    parts = (re.escape(part).replace(r"\*", "[^.]*") for part in pattern.split("**"))
    wanted = re.compile(".*".join(parts))
    names = [name for name, _ in model.named_modules() if name and wanted.fullmatch(name)]
    if not names:
        find_module(model, pattern)  # raises, and lists what there is
    return names


def modules_run(model: nn.Module, forward: Callable[[], Any]) -> dict[str, int]:
    """Returns {module: how often it ran in a forward}, of those whose output can be read."""
    return {name: len(runs) for name, runs in outputs_of(model, forward).items()}


def outputs_of(
    model: nn.Module, forward: Callable[[], Any]
) -> dict[str, list[list[tuple[int, ...]]]]:
    """Returns {module: shapes of the tensors of each run}, of those whose output can be read.

    Modules come in the order in which they end.
    """
    shapes: dict[str, list[list[tuple[int, ...]]]] = {}

    def noting(name: str) -> Callable[..., None]:
        def note(_: nn.Module, __: Any, output: Any) -> None:
            parts = list(output) if isinstance(output, (list, tuple)) else [output]
            first = parts[0] if parts else None
            if isinstance(first, Tensor) and first.ndim > 1 and first.is_floating_point():
                found = [tuple(part.shape) for part in parts if isinstance(part, Tensor)]
                shapes.setdefault(name, []).append(found)

        return note

    handles = [module.register_forward_hook(noting(name)) for name, module in model.named_modules()]
    try:
        forward()
    finally:
        for handle in handles:
            handle.remove()
    return shapes


class _Recorder:
    """The hooks of one `tapped` block and what they recorded."""

    def __init__(
        self, model: nn.Module, taps: list[Tap], read: Read | None, gradient: bool
    ) -> None:
        self.model, self.taps, self.read, self.gradient = model, taps, read, gradient
        self.features = Features()
        self.recorded: dict[str, int] = {}  # label: runs in this forward
        self.runs: dict[str, int] = {}  # in the first one
        self.given = Given()

    def attach(self, tap: Tap, module: nn.Module) -> RemovableHandle:
        # The input is read before the module runs: it may work in place.
        if tap.of == "input":
            return module.register_forward_pre_hook(
                lambda _, args, kwargs: self.record(tap, module, input_of(tap, args, kwargs)),
                with_kwargs=True,
            )
        return module.register_forward_hook(lambda _, __, output: self.record(tap, module, output))

    def begin(self, _: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        self.features.clear()
        self.recorded.clear()
        self.given = Given.of(args, kwargs)
        if self.features.clips is not None:
            self.given = Given(self.features.clips, self.given.frames)

    def record(self, tap: Tap, module: nn.Module, value: Any) -> None:
        runs = self.recorded.get(tap.label, 0)
        self.recorded[tap.label] = runs + 1
        if runs:
            if tap.fires == "first":
                return
            if tap.fires == "once":
                raise LayerError(
                    f"Expected {tap.module!r} to run once in a forward, but it runs several times "
                    f"(shared weights?); choose Tap({tap.module!r}, fires='first') or 'last'."
                )
        if self.read is not None:
            self.features.update(self.read(tap, value))
            return
        for label, x in whole(tap, value).items():
            seen = self.features.axes.get(label)
            axes = find_axes(tap, module, self.model, x, self.given, seen)
            self.features.axes[label] = axes
            self.features[label] = axes.pool(x, self.gradient)

    def end(self, model: nn.Module, *_: Any) -> None:
        silent = [tap.module for tap in self.taps if tap.label not in self.recorded]
        if silent:
            raise LayerError(
                f"Expected every tapped module to run in the forward of {type(model).__name__}, "
                f"but {silent} did not: its forward may call what is inside them, or not need "
                f"them now. Ask for others ({', '.join(self.recorded) or 'none'} ran)."
            )
        self.runs = self.runs or dict(self.recorded)
        other = [label for label, runs in self.recorded.items() if self.runs[label] != runs]
        if other:
            raise LayerError(
                f"Expected {other[0]!r} to run as often for every input, but it ran "
                f"{self.runs[other[0]]} times before and {self.recorded[other[0]]} now: views of "
                "one clip would be compared at different places."
            )
