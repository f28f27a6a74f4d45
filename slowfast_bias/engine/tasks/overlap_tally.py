"""OverlapTally: one number a frame for many variants, where `MaskTally` keeps all figures of each.

It holds J, or the overlap of boxes if frames have boxes, as the test counts them: a variant's score
is the mean over sequences of the mean over frames. Legend: V frames of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.segments.truth import Truths
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.tasks.mask_scores import MaskRule, first_masks
from slowfast_bias.errors import DataError
from slowfast_bias.metrics import box_overlap, mask_box, region_similarity

_COUNTED = ("clips", "good", "masks", "boxes", "sequences")


class OverlapTally:
    """The overlap of each frame's mask with the truth, under several variants.

    Args:
        variants: their number.
        videos: number of frames.
        rule: how masks are taken.
    """

    def __init__(self, variants: int, videos: int, rule: MaskRule) -> None:
        self.rule = rule
        self.clips = torch.zeros(videos, dtype=torch.long)
        self.good = torch.ones(variants, videos, dtype=torch.long)
        self.masks = torch.full((variants, videos), torch.nan, dtype=torch.float64)
        self.boxes = torch.full((variants, videos), torch.nan, dtype=torch.float64)
        self.sequences: dict[int, str] = {}  # of each frame

    def add(self, outputs: Sequence[torch.Tensor], batch: Batch, videos: torch.Tensor) -> None:
        """Scores soft masks (B, T, h, w), one tensor per variant."""
        for variant, output in enumerate(outputs):
            for row, scores in enumerate(first_masks(output, batch)):
                video = int(videos[row])
                soft = self.rule.soft(scores, batch.targets.sizes[row]).cpu()
                self.good[variant, video] = int(soft.isfinite().all())
                self._score(variant, video, soft, batch.targets, row)
        for row, video in enumerate(videos.tolist()):
            self.clips[video] += 1
            self.sequences[video] = batch.targets.sequences[row]

    def _score(
        self, variant: int, video: int, soft: torch.Tensor, truths: Truths, row: int
    ) -> None:
        truth, box = truths.masks[row], truths.boxes[row]
        if truth.numel() and 0 < truths.frames[row] < truths.lengths[row] - 1:
            inside = soft > self.rule.threshold
            self.masks[variant, video] = region_similarity(inside, truth)
        if box.isfinite().all():
            mine = mask_box(soft.numpy(), self.rule.box, truths.sizes[row])
            self.boxes[variant, video] = box_overlap(mine, box.tolist())

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far."""
        return {name: getattr(self, name) for name in _COUNTED}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""
        for name in _COUNTED:
            setattr(self, name, state[name])

    def merge_over_ranks(self) -> None:
        """Joins what all processes counted; every process must call it."""
        mine = self.clips, self.good, self.masks, self.boxes, self.sequences
        clips, good, masks, boxes, names = zip(*ranks.gather_objects(mine), strict=True)
        self.clips, self.good = torch.stack(clips).sum(0), torch.stack(good).amin(0)
        self.masks, self.boxes = (_first_known(x) for x in (masks, boxes))
        self.sequences = {video: name for part in names for video, name in part.items()}

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how often each frame was counted."""
        return self.clips

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether the masks of a frame are finite numbers."""
        return self.good.bool()

    @property
    def score(self) -> str:
        """What is scored, as the test names it: "mIoU" of boxes if there are boxes, else "J"."""
        return "mIoU" if bool(self.boxes.isfinite().any()) else "J"

    def by_sequence(self, variant: int) -> torch.Tensor:
        """Returns the mean score of each sequence, 0 to 1, in the order of their names.

        DataError if no frame has anything to be scored by.
        """
        values = (self.boxes if self.score == "mIoU" else self.masks)[variant]
        found: dict[str, list[float]] = {}
        for video in values.isfinite().nonzero().flatten().tolist():
            found.setdefault(self.sequences[video], []).append(float(values[video]))
        if not found:
            raise DataError(
                "Expected a frame with a mask or a box between the first and the last frame of its "
                "sequence, but the test list has none. Take a list with masks."
            )
        means = [float(np.mean(found[name])) for name in sorted(found)]
        return torch.tensor(means, dtype=torch.float64)


def _first_known(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Returns, of tensors that are NaN where a process counted nothing, what is known."""
    known = parts[0]
    for part in parts[1:]:
        known = torch.where(known.isnan(), part, known)
    return known
