"""What a network with StaticDropout in SlowFast's own loop keeps among its weights, and is none.

SlowFast's checkpoints hold a network's state dict and nothing of ours, so the static scores are
buffers there. Our own checkpoints have them under `slowfast_bias`; files are read as if all did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

SCORES = "static_dropout_scores"  # (C,)
COUNTS = "static_dropout_counts"  # (2,): training forwards so far, estimates so far
_OURS = "slowfast_bias"  # of a checkpoint


def without_bookkeeping(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the weights of a state dict alone."""
    return {name: value for name, value in weights.items() if name not in (SCORES, COUNTS)}


def set_apart(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the content of a checkpoint in SlowFast's form, as our own loop writes it."""
    weights = content["model_state"]
    if not isinstance(weights, Mapping) or SCORES not in weights or COUNTS not in weights:
        return dict(content)
    plain = {**content, "model_state": without_bookkeeping(weights)}
    counts = weights[COUNTS]
    estimates = int(counts[1]) if isinstance(counts, Tensor) and counts.shape == (2,) else 0
    if not estimates:
        return plain
    return {**plain, _OURS: {"static_scores": weights[SCORES], "estimates": estimates}}
