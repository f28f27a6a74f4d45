"""Videos: real videos as a data set.

Its keys are BIAS.DATA and the host's own DATA. No other video comes in the place of one that cannot
be read, but in training: there it is the next good one of the same label, and the loader is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias.config.lookup import lookup
from slowfast_bias.datasets.contract import FRAMES, Sample, register_dataset
from slowfast_bias.datasets.decoding.read_frames import VideoError, backend_version
from slowfast_bias.datasets.host_items import HostItems
from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.sampling.split_views import SplitViews


@register_dataset
class Videos(HostItems, Dataset):
    """The views of the videos of a list; an item is one view, video by video."""

    streams = FRAMES

    @property
    def labelled(self) -> bool:
        """Whether the list has classes."""
        return self.cfg.BIAS.DATA.FORMAT != "unlabelled"

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.cfg, self.split = cfg, split
        self.shown = SplitViews(cfg, split)
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
        self._others: dict[int, list[int]] = {}  # class -> its videos, made when first needed

    def __len__(self) -> int:
        return len(self.list.videos) * self.views

    def sample(self, index: int) -> Sample:
        """Returns a view of a video, uint8 (T, H, W, 3); in training perhaps another video's."""
        unreadable: dict[int, str] = {}
        for candidate in self._candidates(index):
            position, number = divmod(candidate, self.views)
            video = self.list.videos[position]
            try:
                frames = self.shown.view(video, number)
            except VideoError as error:
                unreadable[candidate] = str(error)
            else:
                return Sample((frames,), video.label, candidate, unreadable)
        return Sample((), None, index, unreadable)

    def clip(self, video: int) -> torch.Tensor:
        """Returns the middle of a video in time and space, uint8 (T, H, W, 3); VideoError."""
        return self.shown.central(self.list.videos[video])

    def target(self, video: int) -> int:
        """Returns the class of a video."""
        return self.list.videos[video].label

    def describe(self, index: int) -> tuple[str, str]:
        """Returns the path of a clip's video and its row in the list."""
        chosen = self.list.videos[index // self.views]
        return chosen.name, f"{self.list.file}, {chosen.row}"

    def recording(self, index: int) -> str:
        """Returns what a clip's video is cut from: its file, or more than one file."""
        return self.list.videos[index // self.views].recording

    def class_names(self) -> dict[int, str]:
        """Returns the names of the classes, if the files of the list have them."""
        return {number: name for name, number in self.list.names.items()}

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the videos and of how their frames were read."""
        data = self.cfg.BIAS.DATA
        sampling = data.SAMPLING if data.SAMPLING == "segments" else f"window, {data.STRIDE} stride"
        names = {"class_names": self.list.classes} if self.list.classes else {}
        return {
            "list": self.list.file,
            **names,
            "rows_left_out": len(self.list.left_out),
            "decoder": backend_version(data.DECODER),
            "sampling": f"{sampling}, {data.SHORT}",
        }

    def _candidates(self, index: int) -> Iterator[int]:
        """Yields the clip; in training then the later ones of its class, and from the start."""
        yield index
        if self.split != "train":
            return
        if not self._others:
            for position, video in enumerate(self.list.videos):
                self._others.setdefault(video.label, []).append(position)
        same = self._others[self.target(index)]
        at = same.index(index)
        yield from same[at + 1 :] + same[:at]
