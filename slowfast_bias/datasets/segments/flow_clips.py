"""Clips for pairs of image and flow: what `datasets.pairs.flow_pairs` is registered with.

A clip's streams are its images, with styled folders the same in a second style, its flow, and for
`flow_swap` the flow of another sequence. Everything follows from (BIAS.SEED, frame) alone. The flow
is always that of the images as they were filmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import Sample, open_dataset, recordings_of
from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles
from slowfast_bias.datasets.segments.dataset import IMAGES, Segments
from slowfast_bias.datasets.segments.frames import FrameSequence, read_sequence
from slowfast_bias.datasets.segments.partners import Partners
from slowfast_bias.datasets.segments.pictures import check_shape, resized
from slowfast_bias.datasets.source_clips import spread
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.datasets.styles.folders import StyleFolders, find_styles
from slowfast_bias.errors import DataError


class FlowClips:
    """Frames and their flow, of a data set that has both; BIAS.NUM_VIDEOS counts frames.

    Attributes:
        videos: numbers of the frames in their list, by position here.
        bank: the styles of BIAS.STYLES.
    """

    views = 1
    swaps = False  # whether the flow of another sequence comes as well

    def __init__(self, cfg: CfgNode, split: str, num_videos: int = 0) -> None:
        name = cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET
        self.cfg, self.dataset = cfg, open_dataset(name, cfg, split)
        self.flows = [stream for stream in self.dataset.streams if stream.holds == "flow"]
        if not self.flows:
            raise DataError(
                f"Expected a data set with flow for BIAS.PAIRS {cfg.BIAS.PAIRS}, such as segments "
                f"or toysegments, but {name} has {[s.holds for s in self.dataset.streams]}."
            )
        self.videos = spread(len(self.dataset), num_videos)
        self.bank = self._bank()
        self.streams = (IMAGES, *self.flows, *(self.flows if self.swaps else ()))
        self._sequences = recordings_of(self.dataset)
        self._partners = Partners(self._sequences, cfg.BIAS.SEED)
        if self.swaps and self._partners.sequences() < 2:
            raise DataError(
                f"Expected two sequences or more in the {split} list of {name}, since flow_swap "
                "takes the flow of another one, but it has one. Use BIAS.PAIRS flow_jitter."
            )

    def __len__(self) -> int:
        return len(self.videos)

    def sample(self, position: int) -> Sample:
        """Returns a frame's images and flow, uint8 (T, H, W, 3) each."""
        video = self.videos[position]
        found = [self.dataset.sample(video)]
        found += [self.dataset.sample(self.partner(video))] if self.swaps else []
        reasons = [why for one in found for why in one.unreadable.values() if not one.inputs]
        if reasons:
            return Sample((), None, position, {position: reasons[0]})
        (images, *flows), *others = (one.inputs for one in found)
        try:
            images = self.styled(video, images)
        except VideoError as error:
            return Sample((), None, position, {position: str(error)})
        return Sample((*images, *flows, *(x for one in others for x in one[1:])), 0, position)

    def styled(self, video: int, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns the images in as many styles as the clips come in: here as they were filmed."""
        return (images,)

    def partner(self, video: int) -> int:
        """Returns the frame whose flow a frame is given in exchange, of another sequence."""
        return self._partners.of(video)

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the frames and their flow."""
        return self.dataset.about()

    def describe(self, position: int) -> tuple[str, str]:
        """Returns the path of a frame and its place in the list."""
        return self.dataset.describe(self.videos[position])

    def recording(self, position: int) -> str:
        """Returns the number of a frame's sequence: errors are over sequences."""
        return str(self._sequences[self.videos[position]])

    def _bank(self) -> Any:
        styles = self.cfg.BIAS.STYLES
        return make_styles(styles.FAMILY, styles.NUM, styles.SEED)


class SwapClips(FlowClips):
    """Frames, their flow, and the flow of another sequence."""

    swaps = True


class StyledFlowClips(FlowClips):
    """Frames in style a and in style b of BIAS.STYLES.DIRS, and the flow of the unstyled ones.

    A sequence has the same name in every style, and a frame the same name as its image, or the
    same place among as many.
    """

    def __init__(self, cfg: CfgNode, split: str, num_videos: int = 0) -> None:
        super().__init__(cfg, split, num_videos)
        self.streams = (IMAGES, *self.streams)
        self._folders: dict[str, FrameSequence] = {}

    def styled(self, video: int, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns the images in style a and in style b."""
        frames = self.dataset.items[video].sequence.frames
        numbers = self.dataset.frames_of(video)
        names = self.bank.paths
        chosen = draw_styles(self.bank.num, self.cfg.BIAS.SEED, video)
        return tuple(self._clip(names[style], frames, numbers) for style in chosen)

    def _clip(
        self, paths: Mapping[str, str], frames: FrameSequence, numbers: list[int]
    ) -> torch.Tensor:
        folder = paths[frames.name]
        if folder not in self._folders:
            self._folders[folder] = read_sequence(folder, frames.name)
        style = self._folders[folder]
        where = {name: place for place, name in enumerate(style.frames)}
        if not set(frames.frames) <= set(where):
            where = dict(zip(frames.frames, range(len(style)), strict=False))
            if len(style) != len(frames):
                raise VideoError(
                    f"Expected the {len(frames)} frames of {frames.folder} in {folder}, by the "
                    f"same names or as many, but there are {len(style)}."
                )
        pictures = []
        for number in numbers:
            picture = style.picture(where[frames.frames[number]])
            size = frames.picture(number).shape[:2]
            check_shape(folder, picture, frames.path(number), size)
            pictures.append(resized(picture, self.dataset.size))
        return torch.from_numpy(np.stack(pictures))

    def _bank(self) -> StyleFolders:
        if not isinstance(self.dataset, Segments):
            raise DataError(
                "Expected the data set segments for BIAS.STYLES.SOURCE folders, but got "
                f"{type(self.dataset).__name__.lower()}. Use generated styles."
            )
        bank = find_styles(self.cfg.BIAS.STYLES.DIRS)
        wanted = [sequence.frames.name for sequence in self.dataset.list.sequences]
        missing = [
            f"{folder}/{name}"
            for folder, paths in zip(bank.dirs, bank.paths, strict=True)
            for name in wanted
            if name not in paths
        ]
        if missing:
            raise DataError(
                f"Expected the {len(wanted)} sequences in all {bank.num} styles, but "
                f"{len(missing)} are missing, the first of them {missing[0]}."
            )
        return bank


class StyledSwapClips(StyledFlowClips):
    """Frames in two styles, their flow, and the flow of another sequence."""

    swaps = True
