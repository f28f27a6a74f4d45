"""Source clips: one clip per video as it was filmed, before any style, shuffling or normalisation.

One decode serves all the views that a measurement needs. A dataset that offers ``clip(video)`` is
asked for it (uint8, cheapest); of any other host dataset the central test view is taken, or the
val view with its randomness pinned, and its normalisation undone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias import host
from slowfast_bias.datasets.decoding.timeline import VideoError


class SourceClips(Dataset):
    """Clips (3, T, H, W) of chosen videos of a list, in the form of a host's dataset.

    An item is ([clip], label, position) or None where the video cannot be read; a clip is uint8, or
    float32 in [0, 1].
    """

    def __init__(self, cfg: CfgNode, name: str, split: str, num_videos: int = 0) -> None:
        self.cfg, self.views, self.view = host.central_view(cfg, split)
        self.dataset = host.build_dataset(name, self.cfg, split)
        self.videos = spread(len(self.dataset) // self.views, num_videos)
        if not self.videos:
            raise ValueError(f"Expected videos in the {split} list of {name}, but it has none.")
        self.failures: dict[int, str] = {}  # what could not be read last, and why; the loader asks

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, position: int) -> tuple[list[torch.Tensor], int, int] | None:
        self.failures.clear()
        video = self.videos[position]
        index = video * self.views + self.view
        if hasattr(self.dataset, "clip"):
            try:
                clip, label = self.dataset.clip(video), self.dataset.label(video)
            except VideoError as error:
                self.failures[position] = str(error)
                return None
            return [clip.permute(3, 0, 1, 2).contiguous()], label, position
        sample = host.unpack_sample(self.dataset[index])
        if sample is None or sample.index != index:
            return None
        return [host.source_frames(self.cfg, sample.inputs)], sample.label, position

    @property
    def about(self) -> dict[str, str | int]:
        """What a report must say of how the frames were read; nothing of other data sets."""
        return self.dataset.about() if hasattr(self.dataset, "about") else {}

    def describe(self, position: int) -> tuple[str, str]:
        """The path of a video and its place in the list, of data sets that say why one is bad."""
        return self.dataset.describe(self.videos[position] * self.views)


def spread(total: int, wanted: int) -> Sequence[int]:
    """``wanted`` of the numbers below ``total``, evenly spaced; all of them for 0 or too many."""
    if wanted <= 0 or wanted >= total:
        return range(total)
    return [i * total // wanted for i in range(wanted)]
