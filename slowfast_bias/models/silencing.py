"""Silenced units: runs a network with some of its channels at zero.

    with silenced(model, "s5", rank_units(report, "s5", "static")[:100]):
        model(clips)                                     # the 100 most static channels are zero

Layers have the names of reports: "s5", one pathway of it "s5/1", and "head", the input of the
classifier. The network is not changed in place, and nothing remains when the block ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowfast_bias.bias.axes import find_channels_last
from slowfast_bias.bias.taps import Tap, find_module, rewriting
from slowfast_bias.models.families import family_of, head_tap
from slowfast_bias.models.static_dropout import StaticDropout


@contextmanager
def silenced(
    model: nn.Module,
    layer: str,
    channels: Iterable[int],
    channels_last: bool | None = None,
    taps: Iterable[Tap] = (),
) -> Iterator[nn.Module]:
    """Sets `channels` of `layer` to zero in every forward until the block ends; yields the module.

    Blocks may be nested. In a layer of tokens, all tokens are silenced, the class token too. Does
    not change the model's mode or autograd. Taps opened inside the block read the silenced
    channels.

    Args:
        model: any network.
        layer: a label among `taps`, or a module's name; "/i" after it means pathway i. "head" is
            the input of the linear classifier if the network has a head of SlowFast's or
            pytorchvideo's kind.
        channels: indices, as `rank_units` returns them; an empty list changes nothing.
        channels_last: the layer's tensors are (B, ..., C) instead of (B, C, ...). None takes it
            from the tap, or from the kind of layer: True for linear layers and for tokens that
            come as (x, thw), a StaticDropout's own; else from the weights, as a tap reads it.
        taps: those that a report was measured with, if its layers are not plain module names.
    """
    site = _find(model, layer, taps)
    if channels_last is not None:
        site = site._replace(channels_last=channels_last)
    index = _index(layer, channels)
    place = find_module(model, site.tap.module)

    def last_axis(x: Tensor) -> bool:
        return x.ndim > 2 and find_channels_last(site.tap, place, model, x)

    def silence(value: Any) -> Any:
        return _silence(value, site, index, last_axis)

    with rewriting(model, site.tap, silence) as module:
        yield module


class _Site(NamedTuple):
    """Where a layer of a report is in the network."""

    tap: Tap  # its label is the layer's, without the pathway
    pathway: int | None
    channels_last: bool | None  # None: its tensors decide


def _find(model: nn.Module, layer: str, taps: Iterable[Tap]) -> _Site:
    labels = {tap.label: tap for tap in taps}
    modules = dict(model.named_modules())
    base, _, number = layer.rpartition("/")
    readings: list[tuple[str, int | None]] = [(layer, None)]
    if base and number.isdecimal():
        readings.append((base, int(number)))
    for name, pathway in readings:
        head = family_of(model).head(model) if name == "head" else None
        if name in labels:
            return _Site(labels[name], pathway, labels[name].channels_last)
        if head is not None:
            return _Site(head_tap(head), pathway, True)
        if name in modules:
            return _Site(Tap(name), pathway, _has_channels_last(modules[name]))
    name, pathway = readings[-1]
    find_module(model, name)  # raises, and lists the names that there are
    raise AssertionError(name)


def _has_channels_last(module: nn.Module) -> bool | None:
    """Returns whether a module's kind puts channels last; None if its output has to decide."""
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
            f"{tuple(index.shape)}; for a mask, give `mask.nonzero().flatten()`."
        )
    if index.min() < 0:
        raise ValueError(
            f"Expected `channels` of {layer!r} to be indices from 0, but got {int(index.min())}."
        )
    return index.long().cpu()


def _silence(value: Any, site: _Site, index: Tensor, last_axis: Callable[[Tensor], bool]) -> Any:
    """Returns a module's output or input with channels at zero; `value` itself is not changed."""
    tap, items = site.tap, list(value) if isinstance(value, (list, tuple)) else [value]
    tensors = [isinstance(x, Tensor) for x in items]
    if not tensors or not tensors[0]:
        raise ValueError(
            f"Expected the {tap.of} of {tap.module!r} to be a tensor, a list of tensors (pathways) "
            f"or a tuple that starts with a tensor, but got {type(value).__name__}."
        )
    # All are tensors: pathways. Otherwise the first is the features, as in MViT's (tokens, thw).
    pathways = len(items) if all(tensors) and not tap.first else 1
    which = site.pathway or 0
    if which >= pathways or (pathways > 1 and site.pathway is None):
        names = [f"{tap.label}/{i}" for i in range(pathways)] if pathways > 1 else [tap.label]
        got = tap.label if site.pathway is None else f"{tap.label}/{which}"
        raise ValueError(f"Expected `layer` to be one of {names}, but got {got!r}.")
    last = site.channels_last
    if last is None:
        last = not all(tensors) or last_axis(items[which])
    items[which] = _zero(items[which], index, last, tap.label)
    if isinstance(value, Tensor):
        return items[0]
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def _zero(x: Tensor, index: Tensor, channels_last: bool, label: str) -> Tensor:
    if not len(index):
        return x
    axis = -1 if channels_last else 1
    if x.ndim < 2 or index.max() >= x.shape[axis]:
        form = "(B, ..., C)" if channels_last else "(B, C, ...)"
        raise ValueError(
            f"Expected `channels` of {label!r} below its number of channels, but got "
            f"{int(index.max())} for {tuple(x.shape)}, read as {form}; `channels_last` sets this."
        )
    return x.index_fill(axis, index.to(x.device), 0)
