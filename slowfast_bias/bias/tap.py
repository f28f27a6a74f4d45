"""Tap: which module of a network is read, how, and what a layer's features are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from slowfast_bias.errors import LayerError


@dataclass(frozen=True)
class Tap:
    """A module to read, and how to read it.

    Attributes:
        module: its name in `model.named_modules()`.
        channels_last: its tensors are (B, ..., C) instead of (B, C, ...); None: found by the
            weights of the module, see `slowfast_bias.bias.axes`.
        of: "output", or "input": what the module is called with.
        fires: what to do with a module that runs several times in one forward (shared weights):
            "once" calls that an error, "first" and "last" say which run counts.
        name: what the layer is called in reports; the module's name if not given.
        skip_tokens: for tokens (B, L, C), how many leading ones (class token) stay out of the mean;
            None: one if the network has a class token and L says that it leads.
        argument: with `of="input"`, the keyword under which the module gets the tensor; its first
            positional argument if not given, else its only keyword.
        first: of a list or tuple only the first tensor is read; the others are no pathways.
        batch_axis: the axis of the clips; 1 for (L, B, C).
    """

    module: str
    channels_last: bool | None = None
    of: str = "output"
    fires: str = "once"
    name: str | None = None
    skip_tokens: int | None = None
    argument: str | None = None
    first: bool = False
    batch_axis: int = 0

    def __post_init__(self) -> None:
        for field, allowed in (("of", ("output", "input")), ("fires", ("once", "first", "last"))):
            if getattr(self, field) not in allowed:
                raise LayerError(
                    f"Expected `{field}` of Tap({self.module!r}) to be one of {allowed}, "
                    f"but got {getattr(self, field)!r}."
                )
        if self.skip_tokens and not self.channels_last:
            raise LayerError(
                f"Expected `channels_last=True` with `skip_tokens` for Tap({self.module!r}): "
                "tokens are (B, L, C)."
            )
        if self.argument and self.of != "input":
            raise LayerError(f"Expected `of='input'` with `argument` for Tap({self.module!r}).")

    @property
    def label(self) -> str:
        """The layer's name in features and reports."""
        return self.name or self.module


Read = Callable[[Tap, Any], dict[str, Tensor]]


def as_taps(taps: Iterable[Tap | str]) -> list[Tap]:
    """Returns `taps` as Tap objects, plain strings being module names; labels must differ."""
    found = [Tap(tap) if isinstance(tap, str) else tap for tap in taps]
    labels = [tap.label for tap in found]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice or not found:
        raise LayerError(
            f"Expected `taps` to be at least one tap with labels that differ, but got {labels}"
            + (f"; give one of {twice} another `name`." if twice else ".")
        )
    return found


def whole(tap: Tap, value: Any) -> dict[str, Tensor]:
    """Returns {layer: tensor} of a tapped value, as the module gave it and with its gradient."""
    tensors = _tensors(tap, value)
    if len(tensors) == 1:
        return {tap.label: tensors[0]}
    return {f"{tap.label}/{i}": x for i, x in enumerate(tensors)}


def input_of(tap: Tap, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """Returns what `tap` reads of the arguments of a module."""
    key = argument_of(tap, args, kwargs)
    return args[0] if key is None else kwargs[key]


def argument_of(tap: Tap, args: tuple, kwargs: Mapping[str, Any]) -> str | None:
    """Returns the keyword under which a module got what `tap` reads; None: its first argument."""
    if tap.argument is None and args:
        return None
    keys = [tap.argument] if tap.argument else list(kwargs)
    if len(keys) != 1 or keys[0] not in kwargs:
        wanted = repr(tap.argument) if tap.argument else "one argument"
        raise LayerError(
            f"Expected {tap.module!r} to be called with {wanted}, but it "
            f"got {len(args)} positional arguments and the keywords {sorted(kwargs)}; `argument` "
            "of its Tap names one of these."
        )
    return keys[0]


def _tensors(tap: Tap, value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        # All tensors: pathways. Else the first is the features, as in MViT's (x, thw).
        every = not tap.first and all(isinstance(x, Tensor) for x in value)
        return list(value) if every else [value[0]]
    inside = f" of {[type(x).__name__ for x in value]}" if isinstance(value, (list, tuple)) else ""
    raise LayerError(
        f"Expected the {tap.of} of {tap.module!r} to be a tensor, a list of tensors (pathways) or "
        f"a tuple that starts with a tensor, but got {type(value).__name__}{inside}."
    )
