"""Scores of frames by sequence: how several sets become one, whatever the order they come in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

Score = TypeVar("Score")
ByFrame = Mapping[str, Mapping[int, Score]]


def merged(parts: Iterable[ByFrame]) -> dict[str, dict[int, Score]]:
    """Returns {sequence: {frame: score}} of all parts; ValueError if two of them have a frame."""
    together: dict[str, dict[int, Score]] = {}
    for part in parts:
        for name, frames in part.items():
            known = together.setdefault(name, {})
            if twice := sorted(known.keys() & frames.keys()):
                raise ValueError(
                    f"Expected every frame once, but frame {twice[0]} of {name} came twice. Do not "
                    "merge figures with themselves."
                )
            known.update(frames)
    return together


def fmean(values: Sequence[float]) -> float:
    """Returns the mean, the same for any order; NaN of none."""
    return math.fsum(values) / len(values) if values else float("nan")
