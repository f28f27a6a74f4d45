"""Verdicts: which class each of many variants names for each video, and how far outputs differ.

`ScoreTally` keeps every score, which for the many variants of a battery would be gigabytes. Here a
video whose clips have all been counted is reduced to its verdicts at once. Only the clips of a
video that several processes share have to wait for the others until the end.

Legend: B clips, V videos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from slowfast_bias.bias.paired import kullback_leibler
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import RequestError

_AT_ONCE = 64  # videos that processes complete together in one step


class VerdictTally:
    """The class that each variant names for each video, by probabilities averaged over its clips.

    Attributes:
        labels: (V,) classes; -1 if no clip of a video was counted.
    """

    def __init__(
        self,
        variants: int,
        videos: int,
        classes: int,
        device: torch.device,
        views: int,
        pairs: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Begins an empty tally.

        Args:
            variants: how many outputs each clip has.
            videos: V.
            classes: of the network.
            device: where processes exchange tensors.
            views: clips of each video.
            pairs: (variant, variant) whose divergence KL(first || second) is kept.
        """
        self.labels = torch.full((videos,), -1, dtype=torch.long)
        self._best = torch.full((variants, videos), -1, dtype=torch.int32)
        self._broken = torch.zeros(variants, videos, dtype=torch.int32)
        self._apart = torch.zeros(len(pairs), videos, dtype=torch.float64)
        self._clips = torch.zeros(videos, dtype=torch.long)
        self._open: dict[int, torch.Tensor] = {}  # video -> sum of (variants, classes)
        self._classes, self._device = classes, device
        self._views, self._pairs = views, list(pairs)

    def add(self, outputs: Sequence[torch.Tensor], batch: Batch, videos: torch.Tensor) -> None:
        """Adds scores (B, classes), one tensor per variant."""
        scores = torch.stack(list(outputs)).detach().cpu().double()
        if scores.shape[1:] != (len(videos), self._classes):
            raise RequestError(
                f"Expected scores of {len(videos)} clips for {self._classes} classes "
                f"(MODEL.NUM_CLASSES), but the network gives {tuple(scores.shape[1:])}: it has no "
                "classifier, or one of other classes."
            )
        for clip, video in enumerate(videos.tolist()):
            self._open[video] = self._open.get(video, 0) + scores[:, clip]
            self._clips[video] += 1
            self.labels[video] = batch.targets[clip]
            if self._clips[video] == self._views:
                self._judge(video, self._open.pop(video))

    def _judge(self, video: int, scores: torch.Tensor) -> None:
        """Keeps what is asked of a whole video's scores (variants, classes)."""
        mean = scores / self._views
        self._best[:, video] = mean.argmax(1).int()
        self._broken[:, video] = (~mean.isfinite().all(1)).int()
        for row, (first, second) in enumerate(self._pairs):
            self._apart[row, video] = kullback_leibler(mean[first], mean[second])

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far."""
        return {"open": dict(self._open), "found": list(self._found())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""
        self._open = dict(state["open"])
        for mine, known in zip(self._found(), state["found"], strict=True):
            mine.copy_(known)

    def _found(self) -> tuple[torch.Tensor, ...]:
        return self.labels, self._best, self._broken, self._apart, self._clips

    def merge_over_ranks(self) -> None:
        """Joins what all processes counted."""
        if not ranks.together():
            return
        counts = self._clips.to(self._device)
        ranks.sum_over_processes(counts)
        self._clips = counts.cpu()
        begun = {video for share in ranks.gather_objects(list(self._open)) for video in share}
        whole = [video for video in sorted(begun) if self._clips[video] == self._views]
        for start in range(0, len(whole), _AT_ONCE):
            self._complete(whole[start : start + _AT_ONCE])
        self._open.clear()
        kept = [x.to(self._device) for x in (self._best, self._broken, self.labels)]
        apart = self._apart.to(self._device)
        ranks.max_over_processes(*kept)
        ranks.sum_over_processes(apart)
        self._best, self._broken, self.labels = (x.cpu() for x in kept)
        self._apart = apart.cpu()

    def _complete(self, videos: Sequence[int]) -> None:
        """Judges videos whose clips several processes have read, on one of these."""
        none = torch.zeros(len(self._best), self._classes, dtype=torch.float64)
        sums = torch.stack([self._open.get(video, none) for video in videos]).to(self._device)
        ranks.sum_over_processes(sums)
        if ranks.is_master():
            for video, scores in zip(videos, sums.cpu(), strict=True):
                self._judge(video, scores)

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how many clips of each video were counted."""
        return self._clips

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all scores of a whole video are finite numbers."""
        return self._broken == 0

    def named(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns the class that is named for each video where `videos` (V,) is True."""
        return self._best[variant][videos].long()

    def hits(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns whether each of the videos where `videos` (V,) is True is right."""
        return self.named(variant, videos) == self.labels[videos]

    def divergences(self, pair: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns the divergence of a pair of variants, in nats, of each video of `videos`."""
        return self._apart[pair][videos]
