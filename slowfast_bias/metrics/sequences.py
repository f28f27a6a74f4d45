"""What the scores of a sequence's frames come to: mean, recall and decay of the DAVIS benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

GOOD = 0.5  # a frame above it is recalled
_ROUNDING = float(np.finfo(float).eps)  # .5 itself is not above


def over_time(scores: Sequence[float]) -> dict[str, float]:
    """Returns mean, recall and decay of the scores of a sequence in order; NaN if there are none.

    Decay is the mean of the first quarter minus that of the last; neighbouring quarters share a
    frame. The benchmark's public code counts frames in 8 bits, so that its decay is another one
    for sequences of more than 256 frames.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not len(values):
        return dict.fromkeys(("mean", "recall", "decay"), float("nan"))
    ends = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = values[: ends[1] + 1], values[ends[3] :]
    return {
        "mean": float(values.mean()),
        "recall": float((values > GOOD + _ROUNDING).mean()),
        "decay": float(first.mean() - last.mean()),
    }
