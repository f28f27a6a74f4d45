"""Source clips: one clip per video as it was filmed, before any style, shuffling or normalisation.

One decode serves all the views that a measurement needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import FRAMES, Sample, open_dataset, recording_of
from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.errors import DataError


class SourceClips:
    """The central clips (T, H, W, 3) of chosen videos of a list, for a loader.

    Attributes:
        videos: their numbers in the list, by position here.
        bank: the styles of BIAS.STYLES.
    """

    streams, views = FRAMES, 1

    def __init__(self, cfg: CfgNode, split: str, num_videos: int = 0) -> None:
        name = cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET
        self.dataset = open_dataset(name, cfg, split)
        self.videos = spread(len(self.dataset) // self.dataset.views, num_videos)
        if not self.videos:
            raise DataError(f"Expected videos in the {split} list of {name}, but it has none.")
        styles = cfg.BIAS.STYLES
        self.bank = make_styles(styles.FAMILY, styles.NUM, styles.SEED)

    def __len__(self) -> int:
        return len(self.videos)

    def sample(self, position: int) -> Sample:
        """Returns the clip of a video; uint8, or float32 in [0, 1]."""
        video = self.videos[position]
        try:
            return Sample((self.dataset.clip(video),), 0, position)
        except VideoError as error:
            return Sample((), None, position, {position: str(error)})

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of how the frames were read."""
        return self.dataset.about()

    def describe(self, position: int) -> tuple[str, str]:
        """Returns the path of a video and its row in the list."""
        return self.dataset.describe(self.videos[position] * self.dataset.views)

    def recording(self, position: int) -> str:
        """Returns what a video is cut from."""
        return recording_of(self.dataset, self.videos[position] * self.dataset.views)


def spread(total: int, wanted: int) -> Sequence[int]:
    """Returns `wanted` of the numbers below `total`, evenly spaced; all for 0 or too many."""
    if wanted <= 0 or wanted >= total:
        return range(total)
    return [i * total // wanted for i in range(wanted)]
