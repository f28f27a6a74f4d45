"""Objective: what rises. The mean of a channel, or how much a class leads over all others.

A raw logit also rises with what classes share; the log-odds rise with what tells one from the
others. They are capped, as a class that has won for certain has nothing to gain but noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from slowfast_bias.errors import LayerError
from slowfast_bias.optvis.responses import Response

CAP = 8.0  # log-odds at which a class has won: 0.9997
CLASSES = "class"  # what files call the layer of classes
_LEAST = 1e-30  # a probability that is rounded to 0


class Target(Protocol):
    """What is maximised.

    Attributes:
        layer: its layer.
        unit: its channel, or the number of its class.
    """

    layer: str
    unit: int

    def of_rows(self, rows: Sequence[int]) -> Target:
        """Returns the target of some of the rows; one that is the same for all returns itself."""

    def value(self, response: Response) -> Tensor:
        """Returns (B,) the activation, as numbers report it."""

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) what rises, in units of its natural size, so that weights fit all units."""


@dataclass(frozen=True)
class Unit:
    """A channel of a layer.

    Attributes:
        layer: its layer.
        unit: its channel.
        scale: its largest natural activation, or another size above 0.
    """

    layer: str
    unit: int
    scale: float = 1.0

    def of_rows(self, rows: Sequence[int]) -> Target:
        """Returns itself."""
        return self

    def value(self, response: Response) -> Tensor:
        """Returns (B,) its mean over time and space."""
        features = response.features.get(self.layer)
        if features is None or not self.unit < features.shape[1]:
            there = {name: x.shape[1] for name, x in response.features.items()}
            raise LayerError(
                f"Expected unit {self.unit} of layer {self.layer!r}, but the network has "
                f"{', '.join(f'{name} with {n} units' for name, n in there.items())}."
            )
        return features[:, self.unit]

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) its mean in units of its scale."""
        return self.value(response) / self.scale


@dataclass(frozen=True)
class ClassOdds:
    """A class.

    Attributes:
        unit: its number.
    """

    unit: int
    layer: str = CLASSES

    def of_rows(self, rows: Sequence[int]) -> Target:
        """Returns itself."""
        return self

    def value(self, response: Response) -> Tensor:
        """Returns (B,) its log-odds."""
        if response.scores is None or not self.unit < response.scores.shape[1]:
            count = 0 if response.scores is None else response.scores.shape[1]
            raise LayerError(f"Expected class {self.unit}, but the network has {count} classes.")
        return log_odds(response.scores)[:, self.unit]

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) its log-odds, up to 1 at the cap."""
        return self.value(response).clamp(max=CAP) / CAP


def log_odds(scores: Tensor) -> Tensor:
    """Returns log p - log (sum of the others) of probabilities (B, classes).

    Of a softmax that is a logit minus the log-sum-exp of the others. The others are added up, as
    1 - p is rounded to 0 long before they are.
    """
    others = scores @ (1 - torch.eye(scores.shape[1], dtype=scores.dtype, device=scores.device))
    return scores.clamp(min=_LEAST).log() - others.clamp(min=_LEAST).log()
