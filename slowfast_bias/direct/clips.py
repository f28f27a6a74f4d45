"""What `measure` is given to show: a tensor, an iterable, or a folder; as batches of clips."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.datasets.decoding.timeline import Timeline, VideoError
from slowfast_bias.datasets.sampling.crops import Crop
from slowfast_bias.datasets.sampling.frame_picks import pick_frames
from slowfast_bias.errors import RequestError


@dataclass(frozen=True)
class Frames:
    """Which frames of a video make its clips, and how large they are.

    Attributes:
        frames: T.
        size: of the square in the middle, in pixels; the short side of the video is that long.
        rate: every so many frames of the video.
        clips: clips of each video, evenly spread.
    """

    frames: int = 16
    size: int = 224
    rate: float = 2
    clips: int = 1

    def __post_init__(self) -> None:
        for name, low in (("frames", 2), ("size", 1), ("clips", 1)):
            if not getattr(self, name) >= low:
                raise RequestError(
                    f"Expected {name} of at least {low}, but got {getattr(self, name)}."
                )
        if not self.rate > 0:
            raise RequestError(f"Expected a rate above 0, but got {self.rate}.")

    def read(self, path: str, number: int) -> Tensor:
        """Returns one clip of a video, uint8 (T, H, W, 3); VideoError."""
        from slowfast_bias.datasets.decoding.read_frames import read_frames  # loads the decoders

        def picks(video: Timeline) -> list[int]:
            return pick_frames(
                video.frames, 0, self.frames, self.rate, clip=number, num_clips=self.clips,
                use_offset=True, stride="exact", short="loop",
            )  # fmt: skip

        return Crop(self.size, self.size).of(read_frames(path, picks, short_side=self.size))


@dataclass
class Clips:
    """Batches of clips, and what became of the videos on the way.

    Attributes:
        total: number of clips; 0 if it is not known.
        about: what a report says of them.
        recordings: the name of the recording -> its number, filled while batches are read.
        dropped: (number, name, reason) of videos that could not be read.
    """

    batches: Iterable[tuple[Tensor, list[int], list[Hashable]]]
    total: int = 0
    about: dict[str, Any] = field(default_factory=dict)
    recordings: dict[Hashable, int] = field(default_factory=dict)
    dropped: list[tuple[int, str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Tensor, list[int], list[int]]]:
        """Yields clips (B, 3, T, H, W) in [0, 1], their numbers, and those of their recordings."""
        for clips, numbers, names in self.batches:
            known = [self.recordings.setdefault(name, len(self.recordings)) for name in names]
            yield unit_clips(clips), numbers, known

    def meta(self) -> dict[str, Any]:
        """Returns what a report says of the clips, after all were read."""
        return {
            **self.about,
            "recordings": len(self.recordings),
            "dropped_videos": [number for number, _, _ in self.dropped],
            "dropped_because": [{"path": name, "reason": why} for _, name, why in self.dropped],
        }

    def warnings(self) -> list[str]:
        """Returns what the reader of a report must know of videos that could not be read."""
        if not self.dropped:
            return []
        _, name, why = self.dropped[0]
        return [
            f"{len(self.dropped)} clips could not be read and do not count, the first is {name}: "
            f"{why}"
        ]


def open_clips(
    given: Any, how: Frames, batch: int, videos: Sequence[Hashable] | None = None
) -> Clips:
    """Returns the clips of a tensor, an array, an iterable, or a folder of videos.

    Args:
        given: (N, 3, T, H, W) in [0, 1], or uint8 frames (N, T, H, W, 3); an iterable of clips or
            batches of them; the path of a folder of videos or of folders of pictures.
        how: for a folder, its clips.
        batch: B.
        videos: (N,) the recording that each clip is cut from; each is its own if not given.
    """
    if batch < 1:
        raise RequestError(f"Expected a batch of at least 1 clip, but got {batch}.")
    if isinstance(given, (str, os.PathLike)):
        return _of_folder(os.fspath(given), how, batch)
    if hasattr(given, "__array__") or isinstance(given, Tensor):
        given = torch.as_tensor(given)
        if given.ndim != 5:
            raise RequestError(
                f"Expected clips (N, 3, T, H, W) or (N, T, H, W, 3), but got {tuple(given.shape)}."
            )
        total = len(given)
        given = given.split(batch)
    elif isinstance(given, Iterable) and not isinstance(given, Mapping):
        total = 0
        given = _batches(given, batch)
    else:
        raise RequestError(
            "Expected clips as a tensor, an array, an iterable of clips, or the path of a folder, "
            f"but got {type(given).__name__}."
        )
    if videos is not None and total and len(videos) != total:
        raise RequestError(f"Expected `videos` for {total} clips, but got {len(videos)}.")
    return Clips(_numbered(given, videos), total, {"data": "clips"})


def unit_clips(clips: Tensor) -> Tensor:
    """Returns clips as float (B, 3, T, H, W) in [0, 1]; RequestError if they are not clips."""
    places = [axis for axis in (1, 2, 4) if clips.ndim == 5 and clips.shape[axis] == 3]
    if places and clips.dtype == torch.uint8 and 4 in places:
        places = [4]
    if len(places) > 1 and places[0] == 1 and clips.shape[2] == 3 and 4 not in places:
        places = [1]  # (B, 3, 3, H, W): the documented place of the colours
    if len(places) != 1:
        raise RequestError(
            "Expected clips (B, 3, T, H, W), or frames (B, T, H, W, 3), with 3 colours in one of "
            f"these places, but got {tuple(clips.shape)}."
        )
    clips = clips.movedim(places[0], 1)
    if clips.dtype == torch.uint8:
        return clips.float() / 255
    low, high = (float(x) for x in clips.aminmax())
    if not (clips.is_floating_point() and low >= 0 and high <= 1):
        raise RequestError(
            f"Expected clips in [0, 1], or bytes, before any normalisation (`mean` and `std` are "
            f"applied here), but got values from {low:.3g} to {high:.3g} of {clips.dtype}."
        )
    return clips if clips.dtype == torch.float64 else clips.float()


def _batches(given: Iterable[Any], batch: int) -> Iterator[Tensor]:
    """Yields batches of an iterable of clips, of batches, or of tuples that start with them."""
    waiting: list[Tensor] = []
    for item in given:
        x = item[0] if isinstance(item, (tuple, list)) else item
        x = torch.as_tensor(x)
        if x.ndim == 5:
            yield x
            continue
        if waiting and x.shape != waiting[0].shape:
            raise RequestError(
                f"Expected clips of one shape, but got {tuple(waiting[0].shape)} and "
                f"{tuple(x.shape)}: cut them to the same frames and size."
            )
        waiting.append(x)
        if len(waiting) == batch:
            yield torch.stack(waiting)
            waiting = []
    if waiting:
        yield torch.stack(waiting)


def _numbered(
    batches: Iterable[Tensor], videos: Sequence[Hashable] | None
) -> Iterator[tuple[Tensor, list[int], list[Hashable]]]:
    start = 0
    for clips in batches:
        numbers = list(range(start, start + len(clips)))
        if videos is not None and numbers[-1] >= len(videos):
            raise RequestError(
                f"Expected `videos` for every clip, but got {len(videos)} for {numbers[-1] + 1}."
            )
        yield clips, numbers, numbers if videos is None else [videos[n] for n in numbers]
        start += len(clips)


def _of_folder(folder: str, how: Frames, batch: int) -> Clips:
    from slowfast_bias.datasets.decoding.read_frames import backend_version
    from slowfast_bias.datasets.styles.folders import find_videos

    paths = find_videos(folder)
    if not paths:
        raise RequestError(
            f"Expected videos, or folders of numbered pictures, in {folder}, but found none."
        )
    wanted = [(name, path, k) for name, path in paths.items() for k in range(how.clips)]
    about = {
        "data": folder,
        "decoder": backend_version(),
        "sampling": f"{how.frames} frames, every {how.rate:g}, {how.clips} clips a video",
    }
    found = Clips((), len(wanted), about)

    def read() -> Iterator[tuple[Tensor, list[int], list[Hashable]]]:
        clips: list[Tensor] = []
        numbers: list[int] = []
        names: list[Hashable] = []
        for number, (name, path, k) in enumerate(wanted):
            try:
                clips.append(how.read(path, k))
            except VideoError as error:
                found.dropped.append((number, name, str(error)))
                continue
            numbers.append(number)
            names.append(name)
            if len(clips) == batch:
                yield torch.stack(clips), numbers, names
                clips, numbers, names = [], [], []
        if clips:
            yield torch.stack(clips), numbers, names

    found.batches = read()
    return found
