"""Attention: query, key and value are one weight in the files of authors, three in transformers."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def split(
    weights: dict[str, torch.Tensor], joined: str, parts: Sequence[str], ends: Sequence[str]
) -> None:
    """Replaces weights that hold several ones after the other by these, in place.

    Args:
        weights: {name: tensor}.
        joined: how the name of a joined weight ends, before its "weight" or "bias".
        parts: what stands there in the names of its parts, in their order.
        ends: which ends a joined weight may have, such as "weight" and "bias".
    """
    for name in [n for n in weights if any(n.endswith(f"{joined}{end}") for end in ends)]:
        start, _, end = name.rpartition(joined)
        for part, value in zip(parts, weights.pop(name).chunk(len(parts)), strict=True):
            weights[f"{start}{part}{end}"] = value.clone()
