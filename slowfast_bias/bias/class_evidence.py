"""Which classes a unit serves: what it contributes to each score of a linear classifier."""

from __future__ import annotations

from torch import Tensor

from slowfast_bias.bias.stats import PairStats


def class_evidence(weight: Tensor, stats: PairStats) -> Tensor:
    """Returns how far each unit moves each class's score from clip to clip: W_ci sd(z_i).

    Only differences between the classes of a unit matter to a softmax.

    Args:
        weight: (classes, C) of the classifier.
        stats: of pairs whose first members are what the classifier gets, (C,).

    Returns:
        (classes, C), float64, on the device of `stats`.
    """
    spread = (stats.m2_a / stats.n.clamp(min=1)).sqrt()
    return weight.detach().to(spread) * spread


def against_classes(evidence: Tensor, unit: int, count: int) -> list[tuple[int, float]]:
    """Returns (class, evidence) of the classes that a unit speaks against, the first one most."""
    found = top_classes(-evidence, unit, count)
    return [(number, -value) for number, value in found if value > 0]


def top_classes(evidence: Tensor, unit: int, count: int) -> list[tuple[int, float]]:
    """Returns (class, evidence) of the classes that a unit speaks for most, the first one most."""
    order = evidence[:, unit].argsort(descending=True, stable=True)[:count]
    return [(number, evidence[number, unit].item()) for number in order.tolist()]
