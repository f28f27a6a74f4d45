"""measure_bias: runs pairs through any torch network and reports the bias of its layers.

report = measure_bias(model, {"static": pairs, "dynamic": pairs}, [Tap("layer4")])
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.bias.meter import BiasMeter
from slowfast_bias.bias.report import BiasReport
from slowfast_bias.bias.taps import Tap, as_taps, tapped


def measure_bias(
    model: nn.Module,
    pairs: Mapping[str, Iterable[tuple]],
    taps: Iterable[Tap | str],
    threshold: float = 0.5,
    statistic: str = "pearson",
    meta: Mapping[str, Any] | None = None,
) -> BiasReport:
    """Returns the report of `model` on `pairs`, both members of each pair run in eval mode.

    The model keeps its modes, weights and hooks. For autocast, call this inside its context.

    Args:
        model: any network; it is called with one argument, on the device of its first parameter.
        pairs: {factor: iterable of (a, b) or (a, b, videos)}. `a` and `b` are batches of what
            the model's forward takes: a tensor, or a list (SlowFast's pathways), tuple or dict of
            tensors. `videos`, (B,), are their video indices, see `BiasMeter.update`.
        taps: the layers to read.
        threshold: see `BiasMeter.compute`.
        statistic: see `BiasMeter.compute`.
        meta: kept in the report, beside what is added here (model, pairs, seconds, torch).
    """
    taps = as_taps(taps)
    meter, start = BiasMeter(taps), time.perf_counter()
    device = next(itertools.chain(model.parameters(), model.buffers()), torch.empty(0)).device
    # Not inference_mode: a module that caches a tensor (such as a position table) could not be
    # trained afterwards.
    with evaluating(model), torch.no_grad(), tapped(model, taps) as features:
        for factor, batches in pairs.items():
            for a, b, *videos in batches:
                if _is_same(a, b):
                    raise ValueError(
                        f"Expected two members in a {factor} pair, but both are the same object: a "
                        "pair whose members are the same object would be 1 by definition."
                    )
                model(move(a, device))
                first = dict(features)
                model(move(b, device))
                meter.update(factor, first, features, *videos)
    found = {
        "model": type(model).__name__,
        "pairs": meter.pairs(),
        "seconds": round(time.perf_counter() - start, 3),
        "torch": torch.__version__,
    }
    return meter.compute(threshold, {**found, **(meta or {})}, statistic)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Puts `model` in eval mode until the block ends, then restores the mode of every module."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def move(inputs: Any, device: torch.device) -> Any:
    """Returns `inputs` with its tensors on `device`, in new lists, tuples and dicts.

    New, because some hosts overwrite the list that they get (SlowFast's stem does).
    """
    if isinstance(inputs, Tensor):
        return inputs.to(device, non_blocking=True)
    if isinstance(inputs, (list, tuple)):
        return type(inputs)([move(x, device) for x in inputs])
    if isinstance(inputs, Mapping):
        return {key: move(x, device) for key, x in inputs.items()}
    return inputs


def _is_same(a: Any, b: Any) -> bool:
    """Returns whether `a` and `b` are one object, or containers of the same objects."""
    if a is b:
        return True
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) > 0 and all(map(_is_same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_is_same(a[key], b[key]) for key in a)
    return False
