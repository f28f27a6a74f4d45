"""The frames that the styles of one video have in common.

The numbers of a clip's frames are chosen once per video and read in both of its styles, so that a
dynamic pair differs only in appearance. A video whose styles differ in the number of frames, or in
the number of the first one, is an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.frame_folder import list_frames
from slowfast_bias.datasets.decoding.read_frames import Timeline, VideoError, is_folder, probe

ABOUT = "video.json"  # beside a video's frames, from `slowfast_bias stylize`
_NUMBER = re.compile(r"(\d+)\.\w+$")  # in the name of a frame


@dataclass(frozen=True)
class About:
    """What the file `video.json` in a folder of frames holds.

    Attributes:
        fps: frames per second; 0 if not known.
        every: which frames of the original were styled; 2 is every second one.
        source: the path of the original, "" if not known.
    """

    fps: float = 0.0
    every: int = 1
    source: str = ""


def aligned(paths: Sequence[str], fps: float = 30.0, backend: str = "pyav") -> Timeline:
    """Returns the frames that the styles of one video have in common; VideoError if they differ.

    Pictures are counted and not opened. Their numbers may start at 0 in one style and at 1 in
    another, because programs differ; any other difference counts as frames that one style lacks.
    The rate is that of the first style that has its own.

    Args:
        paths: the video in each style.
        fps: the rate of folders of pictures that do not have their own.
        backend: the decoder of video files.
    """
    found = [_frames_of(path, fps, backend) for path in paths]
    first = found[0]
    for path, other in zip(paths, found, strict=True):
        if other.timeline.frames != first.timeline.frames:
            raise VideoError(
                f"Expected the styles of a video to have the same frames, but {paths[0]} has "
                f"{first.timeline.frames} and {path} has {other.timeline.frames}. Style it again."
            )
        if other.start != first.start and {other.start, first.start} != {0, 1}:
            raise VideoError(
                f"Expected the styles of a video to have the same frames, but the first of "
                f"{paths[0]} is number {first.start} and that of {path} number {other.start}. "
                "Style it again, or number its frames from 1."
            )
    return next((style.timeline for style in found if style.tells_rate), first.timeline)


def about_video(path: str) -> About:
    """Returns the `video.json` of a folder of pictures; VideoError if it is not valid."""
    about = f"{path}/{ABOUT}"
    if not g_pathmgr.isfile(about):
        return About()
    try:
        with g_pathmgr.open(about, "r") as file:
            told = json.load(file)
        found = About(float(told["fps"]), int(told.get("every", 1)), str(told.get("source", "")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise VideoError(f"Expected `fps` in {about}, but it cannot be read: {error!r}.") from error
    if not (math.isfinite(found.fps) and found.fps >= 0 and found.every >= 1):
        raise VideoError(
            f"Expected `fps` and `every` above 0 in {about}, but got {found.fps:g} and "
            f"{found.every}. Fix it, or remove it: then BIAS.DATA.FOLDER_FPS counts."
        )
    return found


class _Frames(NamedTuple):
    timeline: Timeline
    start: int  # the number of the first; those of a video file are counted from 1
    tells_rate: bool


def _frames_of(path: str, fps: float, backend: str) -> _Frames:
    if not is_folder(path):
        film = probe(path, backend=backend)
        return _Frames(film, 1, film.fps > 0)
    series, told = list_frames(path), about_video(path).fps
    return _Frames(series.timeline(told or fps), int(_NUMBER.search(series.names[0])[1]), told > 0)
