"""Videos: real videos behind SlowFast's dataset interface, registered with the host.

Its keys are BIAS.DATA and the host's own DATA. No other video comes in the place of one that cannot
be read, but in training: there it is the next good one of the same label, and the loader is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias import host
from slowfast_bias.config.allowed import lookup
from slowfast_bias.datasets.decoding.read_frames import VideoError, backend_version
from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.sampling.crops import normalised_planes
from slowfast_bias.datasets.sampling.split_views import VideoViews


@host.register_dataset
class Videos(Dataset):
    """The views of the videos of a list; an item is one view, video by video."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.cfg, self.split = cfg, split
        self.shown = VideoViews(cfg, split)
        self.views = self.shown.count
        self.list = read_list(
            cfg.BIAS.DATA.FORMAT,
            cfg.DATA.PATH_TO_DATA_DIR,
            split,
            names=cfg.BIAS.DATA.LISTS,
            prefix=cfg.DATA.PATH_PREFIX,
            separator=lookup(cfg, "DATA.PATH_LABEL_SEPARATOR"),
            num_classes=cfg.MODEL.NUM_CLASSES,
        )
        self.failures: dict[int, str] = {}  # what could not be read last, and why; the loader asks
        self._others: dict[int, list[int]] = {}  # class -> its videos, made when first needed

    def __len__(self) -> int:
        return len(self.list.videos) * self.views

    def __getitem__(self, index: int) -> tuple[list[torch.Tensor], int, int, dict] | None:
        """Pathways [(C, T, H, W), ...], label, index and an empty dict; None if unreadable."""
        came = self.as_uint8(index)
        if came is None:
            return None
        frames, label, index = came
        planes = normalised_planes(frames, self.cfg.DATA.MEAN, self.cfg.DATA.STD)
        return host.pack_pathways(self.cfg, planes), label, index, {}

    def as_uint8(self, index: int) -> tuple[torch.Tensor, int, int] | None:
        """The same before it is normalised, for our loader: uint8 (T, H, W, 3), label, index."""
        self.failures.clear()
        for candidate in self._candidates(index):
            place, number = divmod(candidate, self.views)
            video = self.list.videos[place]
            try:
                return self.shown.view(video, number), video.label, candidate
            except VideoError as error:
                self.failures[candidate] = str(error)
        return None

    def clip(self, video: int) -> torch.Tensor:
        """The middle of a video in time and space, uint8 (T, H, W, 3); VideoError."""
        return self.shown.central(self.list.videos[video])

    def label(self, video: int) -> int:
        """The class of a video."""
        return self.list.videos[video].label

    def describe(self, index: int) -> tuple[str, str]:
        """The path of a clip's video and its place in the list."""
        chosen = self.list.videos[index // self.views]
        return chosen.name, f"{self.list.file}, {chosen.row}"

    def about(self) -> dict[str, str | int]:
        """What a report must say of its videos and how their frames were read."""
        data = self.cfg.BIAS.DATA
        sampling = data.SAMPLING if data.SAMPLING == "segments" else f"window, {data.STRIDE} stride"
        return {
            "list": self.list.file,
            "rows_left_out": len(self.list.left_out),
            "decoder": backend_version(data.DECODER),
            "sampling": f"{sampling}, {data.SHORT}",
        }

    def _candidates(self, index: int) -> Iterator[int]:
        """The clip itself; in training then the later ones of its class, and from the start."""
        yield index
        if self.split != "train":
            return
        if not self._others:
            for place, video in enumerate(self.list.videos):
                self._others.setdefault(video.label, []).append(place)
        same = self._others[self.label(index)]
        at = same.index(index)
        yield from same[at + 1 :] + same[:at]
