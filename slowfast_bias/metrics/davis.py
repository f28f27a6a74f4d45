"""J and F over sequences, as the DAVIS benchmark counts: a value that merges.

The first and the last frame of a sequence do not count. A sequence's numbers are over its frames,
the benchmark's are means over sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slowfast_bias.metrics.contour import contour_accuracy
from slowfast_bias.metrics.frames import fmean, merged
from slowfast_bias.metrics.region import region_similarity
from slowfast_bias.metrics.sequences import over_time

MEASURES = ("J", "F")


@dataclass(frozen=True)
class MaskFigures:
    """J and F of frames, kept one by one, since decay asks for their order.

    Attributes:
        lengths: {sequence: number of its frames}, the two that do not count among them.
        scores: {sequence: {frame: (J, F)}}; frames count from 0.
    """

    lengths: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, Mapping[int, tuple[float, float]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, sequence: str, frame: int, length: int, mask: np.ndarray, truth: np.ndarray
    ) -> MaskFigures:
        """Returns the figures of one frame.

        Args:
            sequence: its name.
            frame: the frame's position in it.
            length: the number of its frames.
            mask: (H, W), True or not 0 inside.
            truth: (H, W), in the truth's own size.
        """
        if not 0 < frame < length - 1:
            return cls({sequence: length}, {sequence: {}})
        both = float(region_similarity(mask, truth)), contour_accuracy(mask, truth)
        return cls({sequence: length}, {sequence: {frame: both}})

    def merge(self, *others: MaskFigures) -> MaskFigures:
        """Returns the figures of all sets of frames; ValueError if two of them share one.

        Many at once cost one pass; one after the other, each copies all before it.
        """
        lengths: dict[str, int] = {}
        for sequence, length in (pair for x in (self, *others) for pair in x.lengths.items()):
            if lengths.setdefault(sequence, length) != length:
                raise ValueError(
                    f"Expected one length of {sequence}, but got {lengths[sequence]} and {length} "
                    "frames."
                )
        return MaskFigures(lengths, merged(x.scores for x in (self, *others)))

    def missing(self) -> dict[str, int]:
        """Returns {sequence: how many frames that count have no score}, of those that lack some."""
        wanted = {name: max(0, length - 2) for name, length in sorted(self.lengths.items())}
        lacking = {name: count - len(self.scores[name]) for name, count in wanted.items()}
        return {name: count for name, count in lacking.items() if count}

    def by_sequence(self) -> dict[str, dict[str, float]]:
        """Returns {sequence: {"J_mean", "J_recall", ..., "F_decay"}} in percent, NaN if empty."""
        found = {}
        for name in sorted(self.scores):
            frames = [both for _, both in sorted(self.scores[name].items())]
            found[name] = {
                f"{measure}_{word}": 100 * value
                for k, measure in enumerate(MEASURES)
                for word, value in over_time([both[k] for both in frames]).items()
            }
        return found

    def means(self) -> dict[str, float]:
        """Returns the means over sequences in percent, and J&F, the mean of J_mean and F_mean.

        A sequence of fewer than three frames has none that counts, and is left out.
        """
        rows = [row for name, row in self.by_sequence().items() if self.scores[name]]
        words = [f"{m}_{word}" for m in MEASURES for word in ("mean", "recall", "decay")]
        means = {word: fmean([row[word] for row in rows]) for word in words}
        return {"J&F": (means["J_mean"] + means["F_mean"]) / 2, **means}

    def compute(self) -> dict[str, float]:
        """Returns 100 minus J and F in percent, for the log of training."""
        means = self.means()
        return {"J_err": 100 - means["J_mean"], "F_err": 100 - means["F_mean"]}

    def final(self) -> dict[str, str]:
        """Returns the means over sequences, as they are printed."""
        return {word: f"{value:.2f}" for word, value in self.means().items()}

    def result(self) -> dict[str, Any]:
        """Returns what a result file holds: means, sequences, and which frames they are over."""
        return {
            "means": self.means(),
            "sequences": self.by_sequence(),
            "frames": sum(map(len, self.scores.values())),
            "missing_frames": self.missing(),
            "without_a_frame_that_counts": sorted(n for n, x in self.lengths.items() if x < 3),
            "left_out": "the first and the last frame of each sequence, as the benchmark does",
        }
