"""What a data set offers to the loops, and what it gives them: the contract of floor `datasets`.

A data set of this project is a class `(cfg, split)` with the members of `VideoDataset`, decorated
with `register_dataset`. Data sets that a user registered with the host instead are opened through
`datasets.host_dataset`, which gives them the same members. Nothing outside these two files asks
what a data set is or has.

Legend: B clips, C channels, T frames, H W space.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.datasets.lists.video_parts import split_part


class Stream(NamedTuple):
    """What one of a clip's inputs is.

    Attributes:
        holds: "rgb" or "flow".
        packed: normalised (C, T, H, W), one pathway of a network as the host packs it; else frames
            as they were filmed, uint8 (T, H, W, C).
        every_frame: whether all frames of the clip are in it; a slow pathway skips some.
    """

    holds: str = "rgb"
    packed: bool = False
    every_frame: bool = True


FRAMES = (Stream(),)  # one stream: the frames of a clip as they were filmed


class Sample(NamedTuple):
    """One clip, or none if nothing could be read.

    Attributes:
        inputs: one tensor per stream; () if no clip came.
        target: what the task compares with: the number of a class, a mask, tracks. A class of its
            own may have a method `in_batch(targets)`, which returns several as one.
        index: the position in the list of the clip that came.
        unreadable: {position: reason} of what could not be read on the way; "" if not known.
    """

    inputs: tuple[torch.Tensor, ...]
    target: Any
    index: int
    unreadable: Mapping[int, str] = {}  # noqa: RUF012


class Batch(NamedTuple):
    """Clips that could be read, and the positions of those that could not.

    Attributes:
        inputs: one tensor (B, ...) per stream; [] if no clip could be read.
        targets: (B,) classes; for other tasks whatever their samples hold, in a batch.
        indices: (B,) positions in the list.
        unreadable: {position: reason}; in evaluation nothing stands in their place, in training
            perhaps another clip.
        streams: what each of the inputs is.
    """

    inputs: list[torch.Tensor]
    targets: Any
    indices: torch.Tensor
    unreadable: dict[int, str]
    streams: tuple[Stream, ...] = FRAMES

    def clips(self) -> int:
        """Returns B, how many clips came."""
        return len(self.indices)

    def whole(self) -> tuple[torch.Tensor, Stream]:
        """Returns the one stream that has every frame, and what it is."""
        found = [
            pair for pair in zip(self.inputs, self.streams, strict=True) if pair[1].every_frame
        ]
        if len(found) != 1:
            raise ValueError(
                f"Expected one stream with every frame of a clip, but got {list(self.streams)}."
            )
        return found[0]

    def frames(self) -> int:
        """Returns T, the number of frames of the clips."""
        clips, stream = self.whole()
        return clips.shape[2 if stream.packed else 1]


class VideoDataset(Protocol):
    """The members of a data set; `split` is "train", "val" or "test".

    Attributes:
        streams: what each input of a sample is.
        views: clips that each video has in the list (the test's crops and clips): position
            `video * views + view`.
    """

    streams: tuple[Stream, ...]
    views: int

    def __len__(self) -> int:
        """Returns the number of clips."""

    def sample(self, index: int) -> Sample:
        """Returns the clip at a position; in training perhaps another one, never an exception.

        Random choices come from the generators of python, numpy and torch, which the loader seeds.
        """

    def clip(self, video: int) -> torch.Tensor:
        """Returns the middle of a video, (T, H, W, 3): uint8, or float32 in [0, 1]; VideoError."""

    def target(self, video: int) -> Any:
        """Returns what the task compares with; without decoding the video if the list has it."""

    def describe(self, index: int) -> tuple[str, str]:
        """Returns what names a clip's video, its path at best, and its row in the list."""

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the list and of how its frames were read."""


class ClipSource(Protocol):
    """Clips that a measurement is made of: what pairs are registered with as their `source`.

    A class `(cfg, split, num_videos)`; its samples have a stream of frames first.

    Attributes:
        videos: numbers of the videos in their list, by position here.
        bank: the styles that the clips are given, or come in.
        streams: as of a data set.
        views: 1.
    """

    videos: Sequence[int]
    bank: Any
    streams: tuple[Stream, ...]
    views: int

    def __len__(self) -> int:
        """Returns the number of videos."""

    def sample(self, position: int) -> Sample:
        """Returns a video's clip, or two of it; never an exception."""

    def describe(self, position: int) -> tuple[str, str]:
        """Returns the path of a video and its row in the list."""

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the clips."""


_MEMBERS = ("sample", "clip", "target", "describe", "about", "__len__")
_registered: dict[str, type] = {}


def register_dataset(cls: type) -> type:
    """Registers a class `(cfg, split)` by its name, with the host too; TypeError if it lacks any.

    The host finds it in its own loops through `__getitem__`, if it has one.
    """
    lacking = [name for name in _MEMBERS if not callable(getattr(cls, name, None))]
    parameters = list(inspect.signature(cls).parameters)
    if lacking or len(parameters) != 2:
        raise TypeError(
            f"Expected {cls.__name__}(cfg, split) with the members of "
            f"slowfast_bias.datasets.contract.VideoDataset, but it has no {', '.join(lacking)}"
            f"{'' if len(parameters) == 2 else f' and takes {parameters}'}."
        )
    host.register_dataset(cls)
    _registered[cls.__name__] = cls
    return cls


def is_registered(name: str) -> bool:
    """Returns whether TRAIN.DATASET / TEST.DATASET `name` is a data set of this contract."""
    return name.capitalize() in _registered


def check_members(dataset: Any) -> None:
    """Raises TypeError if a data set that was just made lacks `streams` or `views`."""
    for name, kind in (("streams", Sequence), ("views", int)):
        if not isinstance(getattr(dataset, name, None), kind):
            raise TypeError(
                f"Expected {type(dataset).__name__} to have `{name}` when it is made (see "
                f"slowfast_bias.datasets.contract.VideoDataset)."
            )


def open_dataset(name: str, cfg: CfgNode, split: str) -> VideoDataset:
    """Returns the data set that TRAIN.DATASET / TEST.DATASET names."""
    if is_registered(name):
        dataset = host.build_dataset(name, cfg, split)
        check_members(dataset)
        return dataset
    from slowfast_bias.datasets.host_dataset import HostDataset  # it imports this file

    return HostDataset(name, cfg, split)


def recording_of(dataset: VideoDataset | ClipSource, index: int) -> str:
    """Returns what a clip's video is cut from: what the data set says, else its file.

    A data set may have a method `recording(index)`, if its lists know more than a file's name.
    """
    known = getattr(dataset, "recording", None)
    return known(index) if callable(known) else split_part(dataset.describe(index)[0])[0]


def class_names_of(dataset: VideoDataset) -> dict[int, str]:
    """Returns the names of classes by number, as far as a data set knows them.

    A data set may have a method `class_names()` that returns them.
    """
    known = getattr(dataset, "class_names", None)
    return dict(known()) if callable(known) else {}


def has_labels(dataset: VideoDataset) -> bool:
    """Returns whether the classes of a data set mean anything.

    A data set of videos without labels has an attribute `labelled` that is False.
    """
    return bool(getattr(dataset, "labelled", True))


def video_names_of(dataset: VideoDataset) -> list[str]:
    """Returns what names each video of a list, its path at best."""
    return [dataset.describe(clip)[0] for clip in range(0, len(dataset), dataset.views)]


def recordings_of(dataset: VideoDataset | ClipSource) -> list[int]:
    """Returns, for every video of a list, the number of the recording it is cut from.

    Numbers count from 0 in the order of the list. Parts of one recording share its number: they
    are no independent samples.
    """
    numbers: dict[str, int] = {}
    clips = range(0, len(dataset), dataset.views)  # the first clip of each video
    return [numbers.setdefault(recording_of(dataset, clip), len(numbers)) for clip in clips]
