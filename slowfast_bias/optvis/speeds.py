"""Speeds: how much a change from frame to frame costs while an input is made.

`frozen` is the control: one image repeated, or flow at rest. What a unit loses by it is what it
needs motion for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.errors import RequestError

ALL = "all"


@dataclass(frozen=True)
class Speed:
    """One column of the sweep.

    Attributes:
        name: what it is called.
        chi: the weight of change over time, in units of `Recipe.motion`.
        frozen: whether nothing moves at all.
    """

    name: str
    chi: float = 0.0
    frozen: bool = False


# From the one that costs motion nothing to the one that has none.
SPEEDS = (
    Speed("unconstrained"),
    Speed("fast", 0.1),
    Speed("medium", 1.0),
    Speed("slow", 10.0),
    Speed("frozen", frozen=True),
)


def speeds_named(names: Sequence[str]) -> list[Speed]:
    """Returns the speeds of these names, in the order of SPEEDS; `all` stands for every one."""
    known = [speed.name for speed in SPEEDS]
    wrong = [name for name in names if name not in (*known, ALL)]
    if wrong or not names:
        raise RequestError(
            f"Expected speeds, some of {', '.join(known)}, or all, but got "
            f"{', '.join(map(repr, wrong)) or 'none'}."
        )
    return [speed for speed in SPEEDS if ALL in names or speed.name in names]
