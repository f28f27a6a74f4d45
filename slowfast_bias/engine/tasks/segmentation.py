"""Segmentation: a mask of the object in a frame, from its image and its flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.flow import wheel
from slowfast_bias.datasets.sampling.crops import normalised, normalised_planes
from slowfast_bias.datasets.segments.sizes import draw_size, in_size
from slowfast_bias.engine.tasks.mask_losses import segmentation_loss
from slowfast_bias.engine.tasks.mask_scores import MaskRule, enlarged, first_masks
from slowfast_bias.engine.tasks.mask_tally import MaskTally
from slowfast_bias.engine.tasks.overlap_tally import OverlapTally
from slowfast_bias.errors import DataError
from slowfast_bias.metrics import Overlap
from slowfast_bias.models.families import Family
from slowfast_bias.outputs import Outputs


class ObjectSegmentation:
    """One mask per frame: foreground and background."""

    watched = "J_err"
    counts_hits = False

    def __init__(self, cfg: CfgNode, family: Family) -> None:
        self.cfg, self.family = cfg, family
        self.rule = MaskRule.of(cfg)

    def varied(self, batch: Batch, seed: int) -> Batch:
        """Returns a batch of training in one of BIAS.SEGMENTS.SIZES."""
        sizes = self.cfg.BIAS.SEGMENTS.SIZES
        return in_size(batch, draw_size(sizes, seed)) if sizes else batch

    def inputs(
        self, batch: Batch, device: torch.device, orders: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Returns image and flow of each frame, (B, 3, T, H, W), on the device."""
        if orders is not None:
            raise ValueError("Expected frames as they were filmed, since flow has no other order.")
        data = self.cfg.DATA
        return [
            normalised_planes(x.to(device, non_blocking=True), data.MEAN, data.STD)
            for x in batch.inputs
        ]

    def mirrored(self, batch: Batch) -> Batch:
        """Returns the frames of a batch seen in a mirror, their flow as BIAS.SEGMENTS.FLIP says."""
        recode = self.cfg.BIAS.SEGMENTS.FLIP != "picture"
        inputs = [
            _mirrored(x, recode and stream.holds == "flow")
            for x, stream in zip(batch.inputs, batch.streams, strict=True)
        ]
        return batch._replace(inputs=inputs)

    def pack(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """Returns one stream of clips (B, 3, T, H, W) in [0, 1], normalised."""
        return [normalised(clips, self.cfg.DATA.MEAN, self.cfg.DATA.STD)]

    def loss(self, output: Any, batch: Batch) -> torch.Tensor:
        """Returns the loss of BIAS.MASKS.LOSS, averaged over pixels and batch."""
        device, weights = output.mask.device, batch.targets.stacked_weights()
        truth = batch.targets.clips().to(device, non_blocking=True)
        weights = None if weights is None else weights.to(device, non_blocking=True)
        return segmentation_loss(output, truth, self.cfg.BIAS.MASKS.LOSS == "structure", weights)

    def figures(self, output: Any, batch: Batch) -> Overlap:
        """Returns the overlap of a batch's masks, every frame counted for itself."""
        scores = first_masks(self.family.scores(output).detach(), batch)
        found = Overlap()
        for soft, truth in zip(scores, batch.targets.masks, strict=True):
            if not truth.numel():
                raise DataError(
                    "Expected a mask of every frame of the val list, to validate by, but "
                    f"{batch.targets.sequences[0]} has none. Raise TRAIN.EVAL_PERIOD, or take a "
                    "list with masks."
                )
            inside = enlarged(soft[None], truth.shape)[0].cpu() > self.rule.threshold
            found = found.merge(Overlap.of(inside[None], truth[None]))
        return found

    def finite(self, output: Any) -> torch.Tensor:
        """Returns (B,) whether the mask of each frame is finite."""
        return self.family.scores(output).detach().isfinite().flatten(1).all(1).cpu()

    def no_figures(self) -> Overlap:
        """Returns the figures of no frames."""
        return Overlap()

    def tally(self, variants: int, videos: int, device: torch.device) -> MaskTally:
        """Returns an empty tally, which writes masks if BIAS.MASKS.SAVE."""
        outputs = Outputs(self.cfg.OUTPUT_DIR) if self.cfg.BIAS.MASKS.SAVE else None
        return MaskTally(variants, videos, self.rule, outputs)

    def overlaps(
        self, variants: int, videos: int, device: torch.device, views: int
    ) -> OverlapTally:
        """Returns an empty tally of one number a frame, for many variants; writes nothing."""
        return OverlapTally(variants, videos, self.rule)


def _mirrored(pictures: torch.Tensor, recode: bool) -> torch.Tensor:
    """Returns pictures, uint8 (B, T, H, W, 3), left and right exchanged."""
    found = [wheel.mirrored(x, recode) for x in pictures.flatten(0, 1).numpy()]
    return torch.from_numpy(np.stack(found)).view_as(pictures)
