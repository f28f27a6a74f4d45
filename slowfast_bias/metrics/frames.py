"""Scores of frames by sequence: how two sets become one, whatever the order they come in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

Score = TypeVar("Score")
ByFrame = Mapping[str, Mapping[int, Score]]


def merged(first: ByFrame, second: ByFrame) -> dict[str, dict[int, Score]]:
    """Returns {sequence: {frame: score}} of both; ValueError if both have a frame."""
    both = {name: dict(frames) for name, frames in first.items()}
    for name, frames in second.items():
        known = both.setdefault(name, {})
        if twice := sorted(known.keys() & frames.keys()):
            raise ValueError(
                f"Expected every frame once, but frame {twice[0]} of {name} came twice. Do not "
                "merge figures with themselves."
            )
        known.update(frames)
    return both


def fmean(values: Sequence[float]) -> float:
    """Returns the mean, the same for any order; NaN of none."""
    return math.fsum(values) / len(values) if values else float("nan")
