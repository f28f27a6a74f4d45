"""Scores of masks in a test: J and F if frames have masks, boxes if they have boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.segments.truth import Truths
from slowfast_bias.metrics import BoxFigures, BoxRule, MaskFigures


@dataclass(frozen=True)
class MaskRule:
    """How a soft mask is taken.

    Attributes:
        threshold: above it a pixel is inside, for J and F.
        stretch: whether a mask is stretched to 0 .. 1 before.
        mirror: whether it is the mean of the frame's and of its mirror image's.
        box: how it becomes a box.
    """

    threshold: float = 0.5
    stretch: bool = False
    mirror: bool = False
    box: BoxRule = field(default_factory=BoxRule)

    @classmethod
    def of(cls, cfg: CfgNode) -> MaskRule:
        """Returns that of BIAS.MASKS."""
        keys = cfg.BIAS.MASKS
        box = BoxRule(keys.BOX_CUT, keys.MIRROR, keys.RECTANGLE)
        return cls(keys.CUT, keys.STRETCH, keys.MIRROR, box)

    def about(self) -> dict[str, Any]:
        """Returns what must stand beside every number."""
        return {"threshold": self.threshold, "stretch": self.stretch, "mirror": self.mirror}

    def soft(self, scores: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Returns a mask (h, w) in [0, 1] in the size of its picture."""
        if self.stretch:
            low, high = scores.aminmax()
            scores = (scores - low) / (high - low).clamp(min=1e-12)
        return enlarged(scores[None], size)[0]


@dataclass(frozen=True)
class MaskScores:
    """The figures of some frames: a value that merges.

    Attributes:
        masks: J and F of those that have a mask.
        boxes: the overlap of boxes of those that have a box.
        frames: all of them.
        rule: how masks were taken.
    """

    masks: MaskFigures = field(default_factory=MaskFigures)
    boxes: BoxFigures = field(default_factory=BoxFigures)
    frames: int = 0
    rule: MaskRule = field(default_factory=MaskRule)

    @classmethod
    def of(cls, soft: np.ndarray, truths: Truths, row: int, rule: MaskRule) -> MaskScores:
        """Returns the figures of one frame of a batch, its mask (H, W) in [0, 1]."""
        name, frame = truths.sequences[row], truths.frames[row]
        truth, box = truths.masks[row], truths.boxes[row]
        masks, boxes = MaskFigures(), BoxFigures(rule.box)
        if truth.numel():
            inside, length = soft > rule.threshold, truths.lengths[row]
            masks = MaskFigures.of(name, frame, length, inside, truth.numpy())
        if box.isfinite().all():
            boxes = BoxFigures.of(name, frame, soft, box.tolist(), truths.sizes[row], rule.box)
        return cls(masks, boxes, 1, rule)

    def state(self) -> dict[str, Any]:
        """Returns all but the rule, as numbers and texts."""
        scores = {name: dict(frames) for name, frames in self.masks.scores.items()}
        boxes = {name: dict(frames) for name, frames in self.boxes.overlaps.items()}
        lengths = dict(self.masks.lengths)
        return {"lengths": lengths, "scores": scores, "boxes": boxes, "frames": self.frames}

    @classmethod
    def of_state(cls, state: Mapping[str, Any], rule: MaskRule) -> MaskScores:
        """Returns the figures that `state` was taken from."""
        masks = MaskFigures(state["lengths"], state["scores"])
        return cls(masks, BoxFigures(rule.box, state["boxes"]), state["frames"], rule)

    def merge(self, *others: MaskScores) -> MaskScores:
        """Returns the figures of all sets of frames together."""
        masks = self.masks.merge(*(x.masks for x in others))
        boxes = self.boxes.merge(*(x.boxes for x in others))
        return MaskScores(masks, boxes, self.frames + sum(x.frames for x in others), self.rule)

    def compute(self) -> dict[str, float]:
        """Returns errors in percent, of what there is."""
        return {
            **(self.masks.compute() if self.masks.lengths else {}),
            **(self.boxes.compute() if self.boxes.overlaps else {}),
        }

    def final(self) -> dict[str, str]:
        """Returns the numbers that a test ends with, as they are printed."""
        return {
            **(self.masks.final() if self.masks.lengths else {}),
            **(self.boxes.final() if self.boxes.overlaps else {}),
        }

    def result(self) -> dict[str, Any]:
        """Returns what a result file holds."""
        found: dict[str, Any] = {"frames": self.frames, "rule": self.rule.about()}
        if self.masks.lengths:
            found["masks"] = self.masks.result()
        if self.boxes.overlaps:
            found["boxes"] = self.boxes.result()
        return found


def enlarged(scores: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Returns maps (B, h, w) of another size (B, H, W)."""
    if scores.shape[1:] == tuple(size):
        return scores
    return F.interpolate(scores[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def first_masks(output: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
    """Returns the soft mask (h, w) of each clip's first frame, of scores (B, T, h, w)."""
    return list(output[: batch.clips(), 0].float())
