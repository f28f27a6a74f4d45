"""SwapTally: the masks of several variants against their truth, and which object they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.segments.pictures import resized_mask
from slowfast_bias.datasets.segments.truth import Truths
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.tasks.mask_scores import MaskRule, MaskScores, first_masks
from slowfast_bias.engine.tasks.mask_tally import MaskTally
from slowfast_bias.engine.testing.mask_variants import OWN, SWAPS
from slowfast_bias.metrics import Following, mask_box

Frames = dict[str, dict[int, Following]]  # sequence -> frame -> what its mask follows
_RIVAL = 2  # in a truth of cues in conflict: the object that only its colour shows
TRUTHS = "truths"  # in place of a variant: the flow's object itself, as if it were the mask


class SwapTally:
    """A tally of exchanged frames; figures of a variant are its `MaskScores`.

    Attributes:
        followed: {variant: {sequence: {frame: what its mask follows}}}: of SWAPS, of TRUTHS, and
            of OWN if truths have two objects, one for each cue.
    """

    def __init__(self, names: Sequence[str], videos: int, rule: MaskRule) -> None:
        self.names, self.rule = list(names), rule
        self.scored = MaskTally(len(names), videos, rule)
        self.followed: dict[str, Frames] = {}

    def add(self, outputs: Sequence[torch.Tensor], batch: Batch, videos: torch.Tensor) -> None:
        """Scores soft masks (B, T, h, w), one tensor per variant."""
        own, other = batch.targets
        self.scored.add(outputs, batch._replace(targets=own), videos)
        for name, output in zip(self.names, outputs, strict=True):
            if name not in (OWN, *SWAPS):
                continue
            for row, scores in enumerate(first_masks(output, batch)):
                self._follow(name, scores, own, other, row)

    def _follow(
        self, name: str, scores: torch.Tensor, own: Truths, other: Truths, row: int
    ) -> None:
        """Keeps which object a mask follows, of a frame that counts."""
        boxes = not own.masks[row].numel()
        if not boxes and not 0 < own.frames[row] < own.lengths[row] - 1:
            return
        whose = {"flow": own, "image": own, SWAPS.get(name, ""): other}
        flow, image = (_object(whose[cue], own, row, cue) for cue in ("flow", "image"))
        if name == OWN and (flow == image).all():
            return
        size = own.sizes[row] if boxes else tuple(own.masks[row].shape)
        soft = self.rule.soft(scores, size).cpu().numpy()
        mask = _filled(mask_box(soft, self.rule.box), size) if boxes else soft > self.rule.threshold
        self._keep(name, own, row, Following.of(mask, flow, image))
        if name == next(iter(SWAPS)):
            self._keep(TRUTHS, own, row, Following.of(flow, flow, image))

    def _keep(self, name: str, own: Truths, row: int, found: Following) -> None:
        frames = self.followed.setdefault(name, {}).setdefault(own.sequences[row], {})
        frames[own.frames[row]] = found

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far."""
        followed = {
            name: {
                sequence: {frame: tuple(found) for frame, found in frames.items()}
                for sequence, frames in sequences.items()
            }
            for name, sequences in self.followed.items()
        }
        return {"scored": self.scored.state(), "followed": followed}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""
        self.scored.load_state(state["scored"])
        self.followed = {
            name: {
                sequence: {frame: Following(*found) for frame, found in frames.items()}
                for sequence, frames in sequences.items()
            }
            for name, sequences in state["followed"].items()
        }

    def merge_over_ranks(self) -> None:
        """Joins what all processes counted; every process must call it."""
        self.scored.merge_over_ranks()
        whole: dict[str, Frames] = {}
        for share in ranks.gather_objects(self.followed):
            for name, sequences in share.items():
                for sequence, frames in sequences.items():
                    whole.setdefault(name, {}).setdefault(sequence, {}).update(frames)
        self.followed = whole

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how often each frame was counted."""
        return self.scored.clips_of()

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all that was added of a frame is finite numbers."""
        return self.scored.finite()

    def figures(self, variant: int, videos: torch.Tensor) -> MaskScores:
        """Returns the figures of all frames that were counted."""
        return self.scored.figures(variant, videos)

    def predictions(self, variant: int) -> Any:
        """Returns the figures of each sequence."""
        return self.scored.predictions(variant)


def _object(truths: Truths, own: Truths, row: int, cue: str) -> np.ndarray:
    """Returns the object that a cue shows, bool, in the size of the frame's own truth."""
    size = tuple(own.masks[row].shape) if own.masks[row].numel() else own.sizes[row]
    mask = truths.masks[row].numpy()
    if not mask.size:  # a box, in the pixels of its own picture
        height, width = truths.sizes[row]
        across, down = size[1] / width, size[0] / height
        x0, y0, x1, y1 = truths.boxes[row].tolist()
        return _filled((x0 * across, y0 * down, x1 * across, y1 * down), size)
    if (mask == _RIVAL).any():
        mask = (mask == _RIVAL) if cue == "image" else (mask == 1)
    return resized_mask((mask != 0).astype(np.uint8), size) != 0


def _filled(box: tuple[float, ...] | None, size: tuple[int, int]) -> np.ndarray:
    """Returns the pixels (H, W) inside a box; none for no box."""
    mask = np.zeros(size, bool)
    if box is not None and all(map(np.isfinite, box)):
        xs, ys = sorted(box[::2]), sorted(box[1::2])
        mask[round(max(ys[0], 0)) : round(ys[1]), round(max(xs[0], 0)) : round(xs[1])] = True
    return mask
