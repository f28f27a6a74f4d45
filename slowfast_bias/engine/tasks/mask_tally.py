"""MaskTally: what several variants of a network make of the frames of a list; writes their masks.

A frame is scored when it comes, and its mask is forgotten: memory does not grow with it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.tasks.mask_scores import MaskRule, MaskScores, first_masks
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

_COLOURS = (0, 0, 0, 128, 0, 0)  # of DAVIS: background, first object


class MaskTally:
    """The scores of frames, for several variants; a video is a frame here.

    Args:
        variants: their number.
        videos: number of frames.
        rule: how masks are taken.
        outputs: where masks of the first variant are written; None: nowhere.
    """

    def __init__(
        self, variants: int, videos: int, rule: MaskRule, outputs: Outputs | None = None
    ) -> None:
        self.rule, self.outputs = rule, outputs
        self.found: list[list[MaskScores]] = [[] for _ in range(variants)]
        self.clips = torch.zeros(videos, dtype=torch.long)
        self.good = torch.ones(variants, videos, dtype=torch.long)

    def add(self, outputs: Sequence[torch.Tensor], batch: Batch, videos: torch.Tensor) -> None:
        """Scores soft masks (B, T, h, w), one tensor per variant."""
        for variant, output in enumerate(outputs):
            for row, scores in enumerate(first_masks(output, batch)):
                soft = self.rule.soft(scores, batch.targets.sizes[row]).cpu().numpy()
                self.good[variant, videos[row]] = int(np.isfinite(soft).all())
                self.found[variant].append(MaskScores.of(soft, batch.targets, row, self.rule))
                if variant == 0 and self.outputs is not None:
                    name = batch.targets.sequences[row], batch.targets.names[row]
                    write_mask(self.outputs.mask(*name), soft > self.rule.threshold)
        self.clips.index_add_(0, videos.cpu(), torch.ones(len(videos), dtype=torch.long))

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far; its masks are in their files."""
        merged = [MaskScores(rule=self.rule).merge(*frames) for frames in self.found]
        return {"scores": [x.state() for x in merged], "clips": self.clips, "good": self.good}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""
        self.found = [[MaskScores.of_state(x, self.rule)] for x in state["scores"]]
        self.clips, self.good = state["clips"], state["good"]

    def merge_over_ranks(self) -> None:
        """Joins what all processes counted; every process must call it."""
        empty = MaskScores(rule=self.rule)
        mine = [empty.merge(*frames) for frames in self.found], self.clips, self.good
        scores, clips, good = zip(*ranks.gather_objects(mine), strict=True)
        self.found = [[empty.merge(*each)] for each in zip(*scores, strict=True)]
        self.clips, self.good = torch.stack(clips).sum(0), torch.stack(good).amin(0)
        missing = self.found[0][0].masks.missing()
        if missing and ranks.is_master():
            log.warning(
                "%d frames that the benchmark counts have no score, as they have no mask or no "
                "flow, or could not be read: %s", sum(missing.values()), ", ".join(missing),
            )  # fmt: skip

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how often each frame was counted."""
        return self.clips

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all that was added of a frame is finite numbers."""
        return self.good.bool()

    def figures(self, variant: int, videos: torch.Tensor) -> MaskScores:
        """Returns the figures of all frames that were counted: those are the complete ones."""
        return MaskScores(rule=self.rule).merge(*self.found[variant])

    def predictions(self, variant: int) -> Any:
        """Returns the figures of each sequence; the masks are in files of their own."""
        return self.figures(variant, self.clips > 0).result()


def write_mask(path: str, inside: np.ndarray) -> None:
    """Writes a mask (H, W) as a PNG of DAVIS's palette: 1 inside."""
    picture = Image.fromarray(inside.astype(np.uint8), mode="P")
    picture.putpalette(_COLOURS)
    data = io.BytesIO()
    picture.save(data, format="PNG")
    with write_whole(path, "wb") as file:
        file.write(data.getvalue())
