"""MoCA: overlap of boxes and success rates over videos, as a value that merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slowfast_bias.metrics.boxes import BoxRule, box_overlap, mask_box
from slowfast_bias.metrics.frames import fmean, merged

SUCCESS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class BoxFigures:
    """The overlap of every frame's box.

    Attributes:
        rule: how masks became boxes.
        overlaps: {video: {frame: intersection over union}}.
    """

    rule: BoxRule = field(default_factory=BoxRule)
    overlaps: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        video: str,
        frame: int,
        mask: np.ndarray,
        truth: Sequence[float],
        size: tuple[int, int],
        rule: BoxRule | None = None,
    ) -> BoxFigures:
        """Returns the figures of one frame.

        Args:
            video: its name.
            frame: the frame's position in it.
            mask: soft, (H, W) in [0, 1] or uint8.
            truth: the box, x, y of one corner and x, y of the opposite one.
            size: height and width of the picture that the box is drawn on.
            rule: how the mask becomes a box.
        """
        rule = rule or BoxRule()
        overlap = box_overlap(mask_box(mask, rule, size), truth)
        return cls(rule, {video: {frame: overlap}})

    def merge(self, *others: BoxFigures) -> BoxFigures:
        """Returns the figures of all sets of frames, in one pass; ValueError if rules differ."""
        parts = [x for x in (self, *others) if x.overlaps] or [self]
        rules = list(dict.fromkeys(x.rule for x in parts))
        if len(rules) > 1:
            raise ValueError(f"Expected boxes of one rule, but got {rules[0]} and {rules[1]}.")
        return BoxFigures(rules[0], merged(x.overlaps for x in parts))

    def means(self) -> dict[str, float]:
        """Returns mIoU, the success rates and their mean, in percent; NaN without frames.

        mIoU is the mean over videos of the mean over frames; a success rate is a share of all
        frames: the protocol mixes both.
        """
        videos = [list(frames.values()) for frames in self.overlaps.values() if frames]
        every = [x for video in videos for x in video]
        rates = {f"SR_{t}": 100 * fmean([float(x > t) for x in every]) for t in SUCCESS}
        overlap = 100 * fmean([fmean(video) for video in videos])
        return {"mIoU": overlap, **rates, "mSR": fmean(list(rates.values()))}

    def compute(self) -> dict[str, float]:
        """Returns 100 minus mIoU in percent, for the log of training."""
        return {"mIoU_err": 100 - self.means()["mIoU"]}

    def final(self) -> dict[str, str]:
        """Returns the means, as they are printed, and the rule that they depend on."""
        numbers = {word: f"{value:.2f}" for word, value in self.means().items()}
        return {**numbers, **{key: str(value) for key, value in self.rule.about().items()}}

    def result(self) -> dict[str, Any]:
        """Returns what a result file holds."""
        return {
            "means": self.means(),
            "rule": self.rule.about(),
            "videos": {name: 100 * fmean(list(x.values())) for name, x in self.overlaps.items()},
            "frames": sum(map(len, self.overlaps.values())),
        }
