"""Classification: one class per clip, cross entropy, top-1 and top-5.

Errors are percentages of clips, as in SlowFast's log. "Top 5" of fewer than five classes counts all
of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.pairs.frame_order import reorder
from slowfast_bias.datasets.sampling.crops import (
    denormalised,
    normalised,
    normalised_planes,
    unit_range,
)
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.arriving import Arriving
from slowfast_bias.engine.tasks.verdicts import VerdictTally
from slowfast_bias.models.families import Family


@dataclass(frozen=True)
class Accuracy:
    """How many clips were classified right: a value that merges.

    Attributes:
        clips: all of them.
        top1: those whose label has the best score.
        top5: those whose label is among the five best.
    """

    clips: int = 0
    top1: int = 0
    top5: int = 0

    @classmethod
    def of(cls, scores: torch.Tensor, labels: torch.Tensor) -> Accuracy:
        """Returns the figures of scores (B, classes) and labels (B,); NaN is never right."""
        return cls.to_come(scores, labels)()

    @classmethod
    def to_come(cls, scores: torch.Tensor, labels: torch.Tensor) -> Callable[[], Accuracy]:
        """Returns what gives the same later."""
        best = scores.topk(min(5, scores.shape[1]), dim=1).indices.eq(labels.view(-1, 1))
        best &= scores.isfinite().all(1, keepdim=True)
        hits = torch.stack([best[:, :1].any(dim=1).sum(), best.any(dim=1).sum()])
        counts = Arriving(hits)
        return lambda: cls(len(labels), *counts.tolist())

    def merge(self, other: Accuracy) -> Accuracy:
        """Returns the figures of both sets of clips together."""
        return Accuracy(self.clips + other.clips, self.top1 + other.top1, self.top5 + other.top5)

    def compute(self) -> dict[str, float]:
        """Returns top-1 and top-5 error in percent; NaN without clips."""
        if not self.clips:
            return {"top1_err": float("nan"), "top5_err": float("nan")}
        return {
            "top1_err": 100 * (1 - self.top1 / self.clips),
            "top5_err": 100 * (1 - self.top5 / self.clips),
        }

    def final(self) -> dict[str, str]:
        """Returns top-1 and top-5 accuracy in percent, as SlowFast prints them."""
        errors = self.compute()
        return {f"top{k}_acc": f"{100 - errors[f'top{k}_err']:.2f}" for k in (1, 5)}

    def result(self) -> dict[str, Any]:
        """Returns {}: a test of accuracies writes a line of the log, and no file."""
        return {}


class ScoreTally:
    """Scores of each video, summed over its clips, for several variants of a network.

    Attributes:
        scores: (variants, V, classes) float64.
        labels: (V,) classes; -1 if no clip of a video was counted.
        clips: (V,) clips of each video.
    """

    def __init__(self, variants: int, videos: int, classes: int, device: torch.device) -> None:
        self.scores = torch.zeros(variants, videos, classes, dtype=torch.float64, device=device)
        self.labels = torch.full((videos,), -1, dtype=torch.long, device=device)
        self.clips = torch.zeros(videos, dtype=torch.long, device=device)

    def add(self, outputs: Sequence[torch.Tensor], batch: Batch, videos: torch.Tensor) -> None:
        """Adds scores (B, classes), one tensor per variant."""
        videos = videos.to(self.clips.device)
        for row, scores in zip(self.scores, outputs, strict=True):
            row.index_add_(0, videos, scores.double())
        self.labels[videos] = batch.targets.to(self.labels)
        self.clips.index_add_(0, videos, torch.ones_like(videos))

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far: rows of the videos that were."""
        counted = self.clips.nonzero().flatten()
        found = self.scores[:, counted], self.labels[counted], self.clips[counted]
        return {"videos": counted.cpu(), "found": [x.cpu() for x in found]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""
        videos = state["videos"].to(self.clips.device)
        scores, labels, clips = (x.to(self.clips.device) for x in state["found"])
        self.scores[:, videos], self.labels[videos], self.clips[videos] = scores, labels, clips

    def merge_over_ranks(self) -> None:
        """Adds up what all processes counted."""
        ranks.sum_over_processes(self.scores, self.clips)
        ranks.max_over_processes(self.labels)
        self.scores, self.labels, self.clips = (
            x.cpu() for x in (self.scores, self.labels, self.clips)
        )

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how many clips of each video were counted."""
        return self.clips

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all scores of a video are finite: sums keep NaN and Inf."""
        return self.scores.isfinite().all(2)

    def hits(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns whether the best class is right, of the videos where `videos` (V,) is True."""
        return self.scores[variant].argmax(1)[videos] == self.labels[videos]

    def figures(self, variant: int, videos: torch.Tensor) -> Accuracy:
        """Returns the figures of the videos where `videos` (V,) is True."""
        return Accuracy.of(self.scores[variant][videos], self.labels[videos])

    def predictions(self, variant: int) -> list[Any]:
        """Returns the pair of arrays that SlowFast pickles: scores and labels of all videos."""
        return [self.scores[variant].numpy(), self.labels.clamp(min=0).numpy()]


class Classification:
    """One class per clip."""

    watched = "top1_err"
    counts_hits = True

    def __init__(self, cfg: CfgNode, family: Family) -> None:
        self.cfg, self.family = cfg, family

    def varied(self, batch: Batch, seed: int) -> Batch:
        """Returns a batch as it came: clips are changed where they are read."""
        return batch

    def inputs(
        self, batch: Batch, device: torch.device, orders: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Returns pathways (B, C, T, H, W) on the device, frames in `orders` (B, T) if given.

        Clips come in uint8 and are normalised there; those of the host come packed.
        """
        if orders is None and all(stream.packed for stream in batch.streams):
            return [x.to(device, non_blocking=True) for x in batch.inputs]
        clips, stream = batch.whole()
        clips = clips.to(device, non_blocking=True)
        if orders is not None:
            clips = reorder(clips, orders, time=2 if stream.packed else 1)
        if stream.packed:
            return host.repack(self.cfg, clips)
        data = self.cfg.DATA
        return host.pack_batch(self.cfg, normalised_planes(clips, data.MEAN, data.STD))

    def filmed(self, batch: Batch, device: torch.device) -> torch.Tensor:
        """Returns the clips (B, 3, T, H, W) of a batch in [0, 1], before any normalisation."""
        clips, stream = batch.whole()
        clips = clips.to(device, non_blocking=True)
        if not stream.packed:
            return unit_range(clips.permute(0, 4, 1, 2, 3).contiguous())
        data = self.cfg.DATA
        return denormalised(clips, data.MEAN, data.STD)

    def pack(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """Returns pathways of clips (B, 3, T, H, W) in [0, 1]."""
        data = self.cfg.DATA
        return host.pack_batch(self.cfg, normalised(clips, data.MEAN, data.STD))

    def loss(self, output: Any, batch: Batch) -> torch.Tensor:
        """Returns the host's loss, averaged over the batch."""
        logits = self.family.logits(output)
        return self._loss_of(logits, batch.targets.to(logits.device, non_blocking=True))

    @functools.cached_property
    def _loss_of(self) -> nn.Module:
        return host.build_loss(self.cfg)

    def figures(self, output: Any, batch: Batch) -> Accuracy:
        """Returns the figures of a batch, every clip counted for itself."""
        return self.figures_to_come(output, batch)()

    def figures_to_come(self, output: Any, batch: Batch) -> Callable[[], Accuracy]:
        """Returns what gives them later."""
        scores = self.family.scores(output).detach().float()
        return Accuracy.to_come(scores, batch.targets.to(scores.device, non_blocking=True))

    def finite(self, output: Any) -> torch.Tensor:
        """Returns (B,) whether all scores of each clip are finite."""
        return self.family.scores(output).detach().isfinite().all(1).cpu()

    def no_figures(self) -> Accuracy:
        """Returns the figures of no clips."""
        return Accuracy()

    def tally(self, variants: int, videos: int, device: torch.device) -> ScoreTally:
        """Returns an empty tally."""
        return ScoreTally(variants, videos, self.cfg.MODEL.NUM_CLASSES, device)

    def verdicts(
        self,
        variants: int,
        videos: int,
        device: torch.device,
        views: int,
        pairs: Sequence[tuple[int, int]] = (),
    ) -> VerdictTally:
        """Returns an empty tally of verdicts, for many variants."""
        return VerdictTally(variants, videos, self.cfg.MODEL.NUM_CLASSES, device, views, pairs)
