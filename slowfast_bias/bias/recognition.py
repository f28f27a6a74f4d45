"""Recognition: does a network still see in a styled clip what it sees in the original?

A look that takes away what a network knows measures it far from what it was trained on. The share
of clips whose best class stays the same, and what is left of its probability, stand in every
report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ENOUGH = 64  # clips of a list that are shown as they were filmed, evenly spread
_LOW = 0.5  # a warning below


@dataclass(frozen=True)
class Recognition:
    """What became of the best class of clips, when they were styled: a value that merges.

    Attributes:
        clips: those that were shown both ways.
        kept: those whose best class stayed the same.
        before: sum of the probabilities of the best class of the originals.
        after: sum of the probabilities of that class when styled.
    """

    clips: int = 0
    kept: int = 0
    before: float = 0.0
    after: float = 0.0

    @classmethod
    def of(cls, original: Tensor, styled: Tensor) -> Recognition:
        """Returns it from scores (B, classes) of the same clips: probabilities, or logits."""
        original, styled = probabilities(original), probabilities(styled)
        best = original.argmax(1, keepdim=True)
        return cls(
            len(original),
            int((styled.argmax(1, keepdim=True) == best).sum()),
            float(original.gather(1, best).sum()),
            float(styled.gather(1, best).sum()),
        )

    def merge(self, other: Recognition) -> Recognition:
        """Returns that of both sets of clips."""
        return Recognition(
            self.clips + other.clips,
            self.kept + other.kept,
            self.before + other.before,
            self.after + other.after,
        )

    def figures(self) -> dict[str, Any]:
        """Returns what a report holds; {} if no clip was shown both ways."""
        if not self.clips:
            return {}
        return {
            "clips": self.clips,
            "top1_kept": round(self.kept / self.clips, 6),
            "probability": round(self.before / self.clips, 6),
            "probability_styled": round(self.after / self.clips, 6),
        }

    def warnings(self, trained: bool = True) -> list[str]:
        """Returns what a reader must be warned of; an untrained network knows nothing to lose."""
        if not trained or not self.clips or self.kept >= _LOW * self.clips:
            return []
        return [
            f"the network hardly recognises the styled clips: its best class stays that of the "
            f"original in {100 * self.kept / self.clips:.0f} % of {self.clips} clips. What is "
            "measured is far from what it was trained on; a milder bank keeps more"
        ]


def probabilities(scores: Tensor) -> Tensor:
    """Returns rows that are probabilities as they are, and the softmax of any others."""
    scores = scores.detach().double()
    sums = scores.sum(1)
    are = bool((scores >= 0).all()) and bool(((sums - 1).abs() < 1e-3).all())
    return scores if are else torch.softmax(scores, 1)


def chosen(position: int, total: int) -> bool:
    """Returns whether the clip at a position of a list is among those shown as filmed."""
    return position % max(-(-total // ENOUGH), 1) == 0
