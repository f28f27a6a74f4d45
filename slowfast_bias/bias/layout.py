"""Layout: many layers side by side as the columns of one tensor.

A batch then costs a few large operations and one check, not a few hundred small ones and as many
waits for the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The layers' widths, {layer: C}, in network order; their sum is the number of columns."""

    widths: dict[str, int]

    @classmethod
    def of(cls, a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Layout:
        """Returns the layout of a batch of pairs {layer: (B, C)}; raises if they do not match."""
        if not a or set(a) != set(b):
            raise ValueError(
                f"Expected the same layers in `a` and `b`, but got {list(a)} and {list(b)}."
            )
        shapes = {layer: (tuple(a[layer].shape), tuple(b[layer].shape)) for layer in a}
        pairs = next(iter(shapes.values()))[0][:1]
        for layer, (first, second) in shapes.items():
            if first != second or len(first) != 2 or first[:1] != pairs:
                raise ValueError(
                    f"Expected features (B, C) of the same shape in both members, and one B for "
                    f"all layers, but got {first} and {second} in layer {layer!r}."
                )
        return cls({layer: first[1] for layer, (first, _) in shapes.items()})

    @property
    def total(self) -> int:
        """The number of columns."""
        return sum(self.widths.values())

    def columns(self) -> dict[str, slice]:
        """Returns {layer: its columns}."""
        found, start = {}, 0
        for layer, width in self.widths.items():
            found[layer] = slice(start, start + width)
            start += width
        return found

    def flatten(self, features: Mapping[str, Tensor]) -> Tensor:
        """Returns {layer: (B, C)} as one tensor (B, total), without gradient, in layout order."""
        return torch.cat([features[layer].detach() for layer in self.widths], dim=1)

    def layers_of(self, mask: Tensor) -> list[str]:
        """Returns the layers with a True among their columns in `mask`, (total,)."""
        return [layer for layer, columns in self.columns().items() if mask[columns].any()]
