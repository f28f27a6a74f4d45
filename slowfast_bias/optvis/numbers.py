"""Numbers of a unit: what it reached, and what it loses when nothing moves. See METHOD section 11.

Legend: S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from slowfast_bias.optvis.speeds import SPEEDS

FREE, FROZEN = "unconstrained", "frozen"
NEAR = 0.05  # a speed is as good as the best if it reaches this near to it
# Two-sided 95 % of Student's t, by degrees of freedom; beyond them the normal one.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def motion_needs(free: Sequence[float], frozen: Sequence[float], mean: float) -> list[float]:
    """Returns (S,) 1 - (frozen - mean) / (free - mean): 0 if one image is enough.

    NaN if the free clip does not reach more than natural clips do on average.

    Args:
        free: (S,) activations of clips that may move.
        frozen: (S,) those of one image repeated, from the same starts.
        mean: of natural clips.
    """
    return [
        1 - (still - mean) / (most - mean) if most > mean else math.nan
        for most, still in zip(free, frozen, strict=True)
    ]


def mean_of(values: Sequence[float]) -> float | None:
    """Returns the mean; None if there is none, or one of them is not a number."""
    if not values or not all(math.isfinite(x) for x in values):
        return None
    return sum(values) / len(values)


def interval_of(values: Sequence[float]) -> list[float] | None:
    """Returns the 95 % interval of the mean, by Student's t; None for fewer than two values."""
    mean, count = mean_of(values), len(values)
    if mean is None or count < 2:
        return None
    spread = math.sqrt(sum((x - mean) ** 2 for x in values) / (count - 1) / count)
    reach = spread * (_T[count - 2] if count - 2 < len(_T) else 1.96)
    return [mean - reach, mean + reach]


def preferred_speed(activations: Mapping[str, Sequence[float]], floor: float | None) -> str | None:
    """Returns the slowest speed whose mean activation is as good as the best, within NEAR.

    Args:
        activations: {speed: (S,)}.
        floor: what distances are measured from, the mean of natural clips; None: 0.
    """
    means = {name: mean_of(values) for name, values in activations.items()}
    known = [speed.name for speed in SPEEDS if means.get(speed.name) is not None]
    if len(known) < 2:
        return None
    best, base = max(means[name] for name in known), floor or 0.0
    near = best - NEAR * abs(best - base)
    return [name for name in known if means[name] >= near][-1]
