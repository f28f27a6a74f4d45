"""What moves how in the toy world, and which frames tell it without their order.

All motions have one principle. What is seen has a phase on a cycle of 8 and starts at a uniformly
random one; the class determines how far it hops. All hops are odd, so 8 frames visit all 8 phases
in every class, and every second frame visits those of one parity in every class: without their
order, frames contain nothing about the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PHASES = 8


@dataclass(frozen=True)
class Motion:
    """What the phase changes ("place", "size" or "noise") and the odd hop of each class."""

    shows: str
    hops: tuple[int, ...]

    def phases(self, motion: int, start: int, frames: int) -> np.ndarray:
        """Returns the phase of every frame, (T,) in 0 to 7, of a clip of class `motion`."""
        return (start + self.hops[motion] * np.arange(frames)) % PHASES


MOTIONS = {
    # round a circle of 8 places, by +45, -45, +135 or -135 degrees
    "orbit4": Motion("place", (1, -1, 3, -3)),
    "orbit2": Motion("place", (1, -1)),
    # The size grows, shrinks or grows three times as fast, cyclically from a random start. A ramp
    # from end to end would reveal its direction in every second frame: 0 2 4 6, not 7 5 3 1.
    "osc3": Motion("size", (1, -1, 3)),
    "ramp2": Motion("size", (1, -1)),
    # The whole picture is noise that wanders right or left. Both hops have one length: pairs of
    # frames, in which a network without temporal kernels may pool, tell no more than the length.
    "noise2": Motion("noise", (1, -1)),
}


def unordered_frames_tell(motion: str, picks: Sequence[int]) -> bool:
    """Returns whether the frames at `picks`, unordered, distinguish any classes of `motion`.

    Exact: compares which phases each class shows over the 8 equally likely starts. For example,
    the slow pathway of SlowFast takes `linspace(0, T - 1, T // alpha)`: of 8 frames with alpha 4
    these are 0 and 7, which reveal the size of an orbit4 hop, and nothing about orbit2.
    """
    kind, picks = MOTIONS[motion], list(picks)
    shown = [
        Counter(
            tuple(sorted(kind.phases(label, start, max(picks) + 1)[picks].tolist()))
            for start in range(PHASES)
        )
        for label in range(len(kind.hops))
    ]
    return any(other != shown[0] for other in shown)
