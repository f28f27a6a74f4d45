"""Data sets that a user registered with the host, behind the contract of this project.

SlowFast gives packed and normalised pathways, and puts a random other video in place of one that it
cannot read. For evaluation such a clip counts as unreadable; in training the replacement is kept
and reported. A measurement takes the central test view, or the val view with its randomness pinned,
and undoes the normalisation.
"""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.datasets.contract import Sample, Stream
from slowfast_bias.datasets.decoding.timeline import VideoError


class HostDataset:
    """One data set of the host with the members of `contract.VideoDataset`."""

    def __init__(self, name: str, cfg: CfgNode, split: str) -> None:
        self.name, self.cfg, self.split = name, cfg, split
        self.dataset = host.build_dataset(name, cfg, split)
        test = split == "test"
        self.views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS if test else 1
        whole = host.whole_pathways(cfg)
        self.streams = tuple(Stream("rgb", packed=True, every_frame=every) for every in whole)
        self._central: tuple[Any, int, int] | None = None  # made when a measurement asks

    def __len__(self) -> int:
        return len(self.dataset)

    def sample(self, index: int) -> Sample:
        """Returns the clip at a position; in training perhaps the one that came in its place."""
        came = host.unpack_sample(self.dataset[index])
        if came is None:
            return Sample((), None, index, {index: ""})
        if came.index == index:
            return Sample(tuple(came.inputs), came.label, index)
        if self.split == "train":
            return Sample(tuple(came.inputs), came.label, came.index, {index: ""})
        return Sample((), None, index, {index: ""})

    def clip(self, video: int) -> torch.Tensor:
        """Returns the frames of the central view, float32 (T, H, W, 3) in [0, 1]; VideoError."""
        if self._central is None:
            view, clips, which = host.central_view(self.cfg, self.split)
            self._central = host.build_dataset(self.name, view, self.split), clips, which
        dataset, clips, which = self._central
        index = video * clips + which
        came = host.unpack_sample(dataset[index])
        if came is None or came.index != index:
            raise VideoError("")  # the host does not say why
        return host.source_frames(self.cfg, came.inputs).permute(1, 2, 3, 0)

    def target(self, video: int) -> int:
        """Returns the class of a video, which is read for it: hosts keep no list of labels."""
        came = host.unpack_sample(self.dataset[video * self.views])
        if came is None or came.index != video * self.views:
            raise VideoError("")
        return came.label

    def describe(self, index: int) -> tuple[str, str]:
        """Returns the position, all that is known of a clip."""
        return f"{self.name} {self.split} {index}", f"clip {index}"

    def about(self) -> dict[str, Any]:
        """Returns nothing: it is not known how the frames were read."""
        return {}
