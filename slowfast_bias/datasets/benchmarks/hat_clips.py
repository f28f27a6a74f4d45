"""HAT's clips: a human alone, and a human before the background of another video.

A folder holds `ori/` (the frames), `seg/` (masks of the humans) and `inp/` (frames without them),
each with a folder of pictures for every video of a list `folder num_frames label`. Background-only
clips need no file here: they are the videos in `inp`. Legend: T frames, H W space.
"""

from __future__ import annotations

import posixpath
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.benchmarks.pasting import human_alone, human_share, pasted
from slowfast_bias.datasets.benchmarks.swaps import Swap, read_swaps
from slowfast_bias.datasets.contract import Sample, register_dataset
from slowfast_bias.datasets.decoding.frame_folder import list_frames
from slowfast_bias.datasets.decoding.read_frames import Picks, VideoError, read_frames
from slowfast_bias.datasets.decoding.timeline import resolve, shrink, stacked
from slowfast_bias.datasets.lists.files import Video
from slowfast_bias.datasets.sampling.split_views import SplitViews
from slowfast_bias.datasets.videos import Videos

FRAMES, MASKS, SCENES = "ori", "seg", "inp"  # folders, by their publisher's names
NOT_COUNTED = -1  # in place of a class: the human is too small or too large to be swapped
_SIZES = (0.05, 0.5)  # shares of the picture that a human may cover
_LOOKS = 8  # frames of which this is found out


class HumanViews(SplitViews):
    """Views of humans that are cut out of the frames of their videos."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        super().__init__(cfg, split)
        self.folder = cfg.BIAS.BEHAVIOUR.HAT.rstrip("/")

    def frames(self, video: Video, picks: Picks, short_side: int) -> torch.Tensor:
        """Returns frames with the mean of the data around the human, uint8 (T, H, W, 3)."""
        numbers = self.numbers(video, picks)
        return smaller(human_alone(*self.cut_out(self.name(video), numbers)), short_side)

    def name(self, video: Video) -> str:
        """Returns the name of a video in the list."""
        return posixpath.relpath(video.path, f"{self.folder}/{FRAMES}")

    def numbers(self, video: Video, picks: Picks) -> list[int]:
        """Returns the numbers of the wanted frames."""
        series = list_frames(video.path)
        return resolve(video.path, picks, series.timeline(self.cfg.BIAS.DATA.FOLDER_FPS))

    def cut_out(
        self, name: str, numbers: list[int], frames: str = FRAMES
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns frames (T, H, W, 3) of a folder, and the masks (T, H, W) of their humans."""
        path = f"{self.folder}/{frames}/{name}"
        shown, masks = read_frames(path, numbers), self.masks(name, numbers)
        if shown.shape[:3] != masks.shape:
            (height, width), (h, w) = shown.shape[1:3], masks.shape[1:]
            raise VideoError(
                f"Expected masks of {name} in the size of its frames, but {path} has {width}x"
                f"{height} px and {self.folder}/{MASKS} {w}x{h} px."
            )
        return shown, masks

    def masks(self, name: str, numbers: list[int]) -> torch.Tensor:
        """Returns the masks (T, H, W) of a video's humans, uint8."""
        return read_frames(f"{self.folder}/{MASKS}/{name}", numbers)[..., 0]


class SwappedViews(HumanViews):
    """Views of humans before the backgrounds of other videos.

    Attributes:
        swaps: {name of a video: the one that its background is of}; set before a view is asked for.
    """

    swaps: dict[str, Swap]

    def frames(self, video: Video, picks: Picks, short_side: int) -> torch.Tensor:
        """Returns frames of the other video's size, uint8 (T, H, W, 3)."""
        name, numbers = self.name(video), self.numbers(video, picks)
        other = self.swaps[name]
        there = [same_place(number, video.frames, other.frames) for number in numbers]
        scene = self.cut_out(other.name, there, SCENES)
        return smaller(pasted(*self.cut_out(name, numbers), *scene), short_side)

    def counts(self, video: Video) -> bool:
        """Returns whether the human is neither too small nor too large, in the whole video."""
        numbers = [i * video.frames // _LOOKS for i in range(_LOOKS)]
        least, most = _SIZES
        return least <= human_share(self.masks(self.name(video), numbers)) <= most


@register_dataset
class Humanonlyvideos(Videos):
    """The videos of a list with nothing around their humans; see BIAS.BEHAVIOUR.HAT."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        super().__init__(cfg, split)
        self.shown = HumanViews(cfg, split)


@register_dataset
class Actionswapvideos(Videos):
    """The humans of a list's videos before other backgrounds; see BIAS.BEHAVIOUR.HAT_SWAP.

    The class of a video is its own; `NOT_COUNTED` if its human is too small or too large. Only its
    clip tells that: `target` does not.
    """

    def __init__(self, cfg: CfgNode, split: str) -> None:
        super().__init__(cfg, split)
        self.shown, file = SwappedViews(cfg, split), cfg.BIAS.BEHAVIOUR.HAT_SWAP
        names = [self.shown.name(video) for video in self.list.videos]
        self.shown.swaps = read_swaps(file, names, cfg.MODEL.NUM_CLASSES)
        self.backgrounds = [self.shown.swaps[name].label for name in names]

    def sample(self, index: int) -> Sample:
        """Returns a view of a video, uint8 (T, H, W, 3)."""
        sample, video = super().sample(index), self.list.videos[index // self.views]
        if not sample.inputs:
            return sample
        try:
            counts = self.shown.counts(video)
        except VideoError as error:
            return Sample((), None, index, {index: str(error)})
        return sample if counts else sample._replace(target=NOT_COUNTED)

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the videos, and where their backgrounds are named."""
        return {**super().about(), "swaps": self.cfg.BIAS.BEHAVIOUR.HAT_SWAP}


def same_place(number: int, frames: int, others: int) -> int:
    """Returns the frame of a video of `others` frames that is as far in as `number` of `frames`."""
    return min(round(number / frames * others), others - 1)


def smaller(frames: torch.Tensor, short_side: int) -> torch.Tensor:
    """Returns frames shrunk to a short side, as a decoder shrinks them."""
    return stacked("", [shrink(frame, short_side) for frame in frames.numpy()])
