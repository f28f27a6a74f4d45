"""The numbers that a verdict rests on: scores and shares with their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from slowfast_bias.bias.comparison import SEEN
from slowfast_bias.visualization.html.words import with_error, with_span

NEGLIGIBLE = 0.02  # a score below it is next to nothing, however sure it is


class Score(NamedTuple):
    """A score with its standard error, NaN where none can be given."""

    value: float
    error: float = math.nan

    @property
    def sign(self) -> int:
        """1 or -1 if the score is seen to be above or below zero, else 0."""
        known = math.isfinite(self.value) and math.isfinite(self.error)
        seen = known and abs(self.value) >= max(SEEN * self.error, NEGLIGIBLE)
        return int(math.copysign(1, self.value)) if seen else 0

    def __str__(self) -> str:
        return with_error(self.value, self.error)


class Rate(NamedTuple):
    """A share in percent with its 95 % interval, NaN where none can be given."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def __str__(self) -> str:
        return with_span(*self)


@dataclass(frozen=True)
class Looks:
    """What the first sentence rests on.

    Attributes:
        layer: the layer whose scores these are.
        static: S_static; None if it was not measured.
        content: S_neither; None if it was not measured.
        units: the number of live units, and of static-only ones; None if kinds are not known.
        frame_wise: whether the layer sees frames one by one.
    """

    layer: str
    static: Score | None
    content: Score | None = None
    units: tuple[int, int] | None = None
    frame_wise: bool = False


@dataclass(frozen=True)
class Motion:
    """What the second sentence rests on.

    Attributes:
        dynamic: S_dynamic; None if it was not measured.
        content: S_neither; None in reports of before there were such pairs.
        motion: motion-only, S_dynamic less content.
        untrained: motion-only of the same network with random weights, if that was measured.
        frame_wise: whether the layer sees frames one by one.
    """

    dynamic: Score | None
    content: Score | None = None
    motion: Score | None = None
    untrained: Score | None = None
    frame_wise: bool = False


@dataclass(frozen=True)
class Shuffling:
    """What the third sentence rests on.

    Attributes:
        ordered: accuracy with frames in order.
        shuffled: accuracy with frames in random order.
        drop: the share of the ordered accuracy that shuffling costs.
        chance: accuracy of a guess; None if the number of classes is not known.
        by_points: whether the interval of `drop` is that of the difference in points, over the
            accuracy in order, instead of that of the share itself.
    """

    ordered: Rate
    shuffled: Rate
    drop: Rate
    chance: float | None = None
    by_points: bool = False
