"""Frames beside which stand image, flow and truth of a frame of another sequence.

What a test needs that gives a network the image of one sequence with the flow of another: both
truths, so that it shows which of the two a mask follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from slowfast_bias.datasets.contract import Sample, VideoDataset, recording_of, recordings_of
from slowfast_bias.datasets.segments.partners import Partners
from slowfast_bias.datasets.segments.truth import Truth, Truths
from slowfast_bias.errors import DataError


class BothTruths(NamedTuple):
    """The truth of a frame, and that of the frame beside it."""

    own: Truth
    other: Truth

    @staticmethod
    def in_batch(truths: Sequence[BothTruths]) -> TruthsBeside:
        """Returns several in one, as the loader asks for."""
        own, other = zip(*truths, strict=True)
        return TruthsBeside(Truth.in_batch(own), Truth.in_batch(other))


class TruthsBeside(NamedTuple):
    """The truths of a batch, and those of the frames beside them."""

    own: Truths
    other: Truths


class Exchanged:
    """A data set of images and flow, each frame beside its partner in another sequence.

    A sample's inputs are the frame's, then the partner's.

    Args:
        dataset: of the frames; its targets are `Truth`.
        seed: of the partners.
    """

    views = 1

    def __init__(self, dataset: VideoDataset, seed: int) -> None:
        self.dataset = dataset
        beside = (stream._replace(every_frame=False) for stream in dataset.streams)
        self.streams = (*dataset.streams, *beside)
        self._partners = Partners(recordings_of(dataset), seed)
        if self._partners.sequences() < 2:
            raise DataError(
                "Expected two sequences or more in the test list, since frames are given image or "
                "flow of another one, but it has one. Set BIAS.BEHAVIOUR.ENABLE to False."
            )

    def __len__(self) -> int:
        return len(self.dataset)

    def sample(self, index: int) -> Sample:
        """Returns a frame's inputs and its partner's, and both truths."""
        mine, other = (self.dataset.sample(x) for x in (index, self._partners.of(index)))
        found = (mine, other)
        reasons = [why for one in found for why in one.unreadable.values() if not one.inputs]
        if reasons:
            return Sample((), None, index, {index: reasons[0]})
        truths = BothTruths(mine.target, other.target)
        return Sample((*mine.inputs, *other.inputs), truths, index)

    def clip(self, video: int) -> torch.Tensor:
        """Returns the images of a frame."""
        return self.dataset.clip(video)

    def target(self, video: int) -> BothTruths:
        """Returns both truths of a frame."""
        return BothTruths(*(self.dataset.target(x) for x in (video, self._partners.of(video))))

    def describe(self, index: int) -> tuple[str, str]:
        """Returns what names a frame, and its row."""
        return self.dataset.describe(index)

    def recording(self, index: int) -> str:
        """Returns the name of a frame's sequence."""
        return recording_of(self.dataset, index)

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the frames."""
        return self.dataset.about()
