"""Silenced units: what a network does without some of its channels.

    with silenced(model, "s5", rank_units(report, "s5", "static")[:100]):
        model(clips)                                     # the 100 most static channels are zero

Layers are called as in reports: "s5", one pathway of it "s5/1", and "head", what the classifier
sees. Nothing of the network is changed in place, and nothing is left when the block ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowfast_bias.bias.taps import Tap, find_module, rewriting
from slowfast_bias.models.static_dropout import StaticDropout, find_classifier


@contextmanager
def silenced(
    model: nn.Module,
    layer: str,
    channels: Iterable[int],
    channels_last: bool | None = None,
    taps: Iterable[Tap] = (),
) -> Iterator[nn.Module]:
    """Zero `channels` of `layer` in every forward until the block ends; yields the module.

    Blocks may be nested. Of tokens all are silenced, the class token too. Does not change the
    model's mode or autograd. Taps inside the block hear the silenced channels, but for a tap on
    the classifier's input, which hears what came before.

    Args:
        model: any network.
        layer: a label among `taps`, or a module's name; "/i" after it means pathway i. "head" is
            the input of the linear classifier where the network has a head of SlowFast's or
            pytorchvideo's kind.
        channels: indices, as `rank_units` gives them; none of them changes nothing.
        channels_last: the layer's tensors are (B, ..., C) instead of (B, C, ...). None asks the
            tap, or knows it for linear layers, StaticDropout and tokens that come as (x, thw).
        taps: those that a report was measured with, where its layers are not plain module names.
    """
    place = _find(model, layer, taps)
    if channels_last is not None:
        place = place._replace(channels_last=channels_last)
    index = _index(layer, channels)
    way = _rewriting_input if place.is_input else rewriting
    with way(model, place.module, lambda value: _silence(value, place, index)) as module:
        yield module


class _Place(NamedTuple):
    """Where a layer of a report is in the network."""

    label: str  # without its pathway
    module: str
    pathway: int | None
    is_input: bool = False
    channels_last: bool | None = None


def _find(model: nn.Module, layer: str, taps: Iterable[Tap]) -> _Place:
    labels = {tap.label: tap for tap in taps}
    modules = dict(model.named_modules())
    base, _, number = layer.rpartition("/")
    readings: list[tuple[str, int | None]] = [(layer, None)]
    if base and number.isdecimal():
        readings.append((base, int(number)))
    for name, pathway in readings:
        if name in labels:
            tap = labels[name]
            return _Place(name, tap.module, pathway, tap.of == "input", tap.channels_last)
        classifier = _classifier(modules) if name == "head" else None
        if classifier:
            return _Place(name, classifier, pathway, True, True)
        if name in modules:
            return _Place(name, name, pathway, False, _has_channels_last(modules[name]))
    name, pathway = readings[-1]
    find_module(model, name)  # raises, and says which names there are
    raise AssertionError(name)


def _classifier(modules: dict[str, nn.Module]) -> str | None:
    """Return the linear classifier's name, if there is a head of a kind that has one."""
    # Else a network of pytorchvideo's inside one of SlowFast's: its head, or its last block.
    inside = (name for name in modules if re.fullmatch(r"model\.(blocks\.\d+|head)", name))
    head = "head" if "head" in modules else [None, *inside][-1]
    found = find_classifier(modules[head]) if head else None
    return f"{head}.{found[0]}" if found else None


def _has_channels_last(module: nn.Module) -> bool | None:
    """Return what a module's kind says about its output; None: the output itself has to tell."""
    if isinstance(module, StaticDropout):
        return module.channels_last
    return True if isinstance(module, (nn.Linear, nn.LayerNorm)) else None


def _index(layer: str, channels: Iterable[int]) -> Tensor:
    index = torch.as_tensor(channels if isinstance(channels, Tensor) else list(channels))
    if not index.numel():
        return index.long()
    if index.ndim != 1 or index.dtype == torch.bool or index.is_floating_point():
        raise ValueError(
            f"Expected `channels` of {layer!r} to be indices (n,), but got {index.dtype} of shape "
            f"{tuple(index.shape)}; of a mask take `mask.nonzero().flatten()`."
        )
    if index.min() < 0:
        raise ValueError(
            f"Expected `channels` of {layer!r} to be indices from 0, but got {int(index.min())}."
        )
    return index.long().cpu()


def _silence(value: Any, place: _Place, index: Tensor) -> Any:
    """Return what a module returned (or received) with channels at zero; `value` stays as it is."""
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    tensors = [isinstance(x, Tensor) for x in items]
    if not tensors or not tensors[0]:
        raise ValueError(
            f"Expected {place.module!r} to give a tensor, a list of tensors (pathways) or a tuple "
            f"that starts with a tensor, but got {type(value).__name__}."
        )
    # All tensors: pathways. Else the first is the features, as in MViT's (tokens, thw).
    pathways = len(items) if all(tensors) else 1
    which = place.pathway or 0
    if which >= pathways or (pathways > 1 and place.pathway is None):
        names = [f"{place.label}/{i}" for i in range(pathways)] if pathways > 1 else [place.label]
        got = place.label if place.pathway is None else f"{place.label}/{which}"
        raise ValueError(f"Expected `layer` to be one of {names}, but got {got!r}.")
    last = place.channels_last if place.channels_last is not None else not all(tensors)
    items[which] = _zero(items[which], index, last, place)
    if isinstance(value, Tensor):
        return items[0]
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def _zero(x: Tensor, index: Tensor, channels_last: bool, place: _Place) -> Tensor:
    if not len(index):
        return x
    axis = -1 if channels_last else 1
    if x.ndim < 2 or index.max() >= x.shape[axis]:
        form = "(B, ..., C)" if channels_last else "(B, C, ...)"
        raise ValueError(
            f"Expected `channels` of {place.label!r} below its number of channels, but got "
            f"{int(index.max())} for {tuple(x.shape)}, read as {form}; `channels_last` says which."
        )
    return x.index_fill(axis, index.to(x.device), 0)


@contextmanager
def _rewriting_input(
    model: nn.Module, name: str, rewrite: Callable[[Any], Any]
) -> Iterator[nn.Module]:
    """Give the module named `name` `rewrite(input)` as its first argument, until the block ends.

    By a `forward` of the instance: hooks are for `bias.taps`, and the network gets no new modules.
    """
    module = find_module(model, name)
    before, forward = vars(module).get("forward"), module.forward
    module.forward = lambda x, *args, **kwargs: forward(rewrite(x), *args, **kwargs)
    try:
        yield module
    finally:
        vars(module).pop("forward")
        if before is not None:
            module.forward = before
