"""A self-test of a network under measurement, on its first batch: the same clip, the same numbers.

A clip shown twice must give the same features, alone as among others. A network that draws at
random, that mixes the clips of a batch, or whose layers were read along a wrong axis, does not, and
would give plausible scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.errors import FeaturesError

Run = Callable[[Any], Mapping[str, Tensor]]
TOLERANCE = {
    torch.float32: 1e-3,
    torch.float64: 1e-6,
}  # of the largest feature; else half precision
_HALF = 5e-2


def self_test(run: Run, inputs: Any, features: Mapping[str, Tensor], exact: bool = True) -> None:
    """Raises FeaturesError if the first clip of a batch, run again and alone, gives other features.

    Args:
        run: from inputs of the network to features {layer: (B, C)}.
        inputs: a batch, in whatever lists and dicts the network takes.
        features: what it gave.
        exact: whether the network ran in its own precision, not in bfloat16.
    """
    features = dict(features)
    alone = dict(run(first_clips(inputs, 1)))
    off = _difference(features, alone, exact)
    if not off:
        return
    again = dict(run(first_clips(inputs, 1)))
    twice = _difference(alone, again, exact)
    if twice:
        raise FeaturesError(
            f"Expected the same features when the same clip is shown twice, but {twice}: the "
            "network draws at random in eval mode (dropout, masks, sampling?), so that no two "
            "views could be compared."
        )
    raise FeaturesError(
        f"Expected the features of a clip not to depend on the other clips of its batch, but {off} "
        "when it is shown alone: the network mixes them (batch statistics?), or the rows of this "
        "layer are no clips: leave it out, or give a Tap with its `batch_axis`."
    )


def first_clips(inputs: Any, count: int) -> Any:
    """Returns inputs with the first clips of every tensor, in new lists, tuples and dicts."""
    if isinstance(inputs, Tensor):
        return inputs[:count] if inputs.ndim else inputs
    if isinstance(inputs, (list, tuple)):
        return type(inputs)([first_clips(x, count) for x in inputs])
    if isinstance(inputs, Mapping):
        return {key: first_clips(x, count) for key, x in inputs.items()}
    return inputs


def _difference(a: Mapping[str, Tensor], b: Mapping[str, Tensor], exact: bool) -> str:
    """Returns what the first row of two sets of features differs in; "" if in nothing."""
    for layer, x in a.items():
        y = b[layer]
        scale = float(x.abs().max())
        off = float((x[:1] - y[:1]).abs().max()) if x.shape[1:] == y.shape[1:] else float("inf")
        allowed = TOLERANCE.get(x.dtype, _HALF) if exact else _HALF
        if off > allowed * max(scale, 1e-12):
            return f"those of {layer!r} change by {off / max(scale, 1e-12):.1e} of the largest"
    return ""
