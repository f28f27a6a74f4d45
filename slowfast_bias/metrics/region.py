"""Region similarity J: intersection over union of masks. Legend: B masks, H W space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

_UNIT = 2**40  # sums of whole numbers are the same in any order, sums of floats are not


def region_similarity(masks: Any, truths: Any) -> torch.Tensor:
    """Returns J of each mask, float64 (...), 1 if mask and truth are both empty.

    Args:
        masks: (..., H, W), True or not 0 inside; tensors or arrays.
        truths: of the same shape.
    """
    masks, truths = (torch.as_tensor(x) != 0 for x in (masks, truths))
    if masks.shape != truths.shape or masks.ndim < 2:
        raise ValueError(
            f"Expected masks and truths of one shape (..., H, W), but got {tuple(masks.shape)} and "
            f"{tuple(truths.shape)}. Resize the masks to the truth's size before they are scored."
        )
    both = (masks & truths).sum((-2, -1), dtype=torch.float64)
    either = (masks | truths).sum((-2, -1), dtype=torch.float64)
    return torch.where(either == 0, 1.0, both / either.clamp(min=1))


@dataclass(frozen=True)
class Overlap:
    """The mean J of some masks, each counted for itself: a value that merges.

    Attributes:
        masks: their number.
        total: the sum of their J, in units of 2**-40.
    """

    masks: int = 0
    total: int = 0

    @classmethod
    def of(cls, masks: Any, truths: Any) -> Overlap:
        """Returns the figures of masks (B, H, W)."""
        scores = (region_similarity(masks, truths) * _UNIT).round().long()
        return cls(scores.numel(), int(scores.sum()))

    def merge(self, other: Overlap) -> Overlap:
        """Returns the figures of both sets of masks together."""
        return Overlap(self.masks + other.masks, self.total + other.total)

    def compute(self) -> dict[str, float]:
        """Returns 100 minus the mean J in percent; NaN without masks."""
        return {"J_err": 100 * (1 - self._mean())}

    def final(self) -> dict[str, str]:
        """Returns the mean J in percent, as it is printed."""
        return {"J": f"{100 * self._mean():.2f}"}

    def _mean(self) -> float:
        return self.total / _UNIT / self.masks if self.masks else float("nan")
