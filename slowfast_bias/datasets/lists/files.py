"""Lists of videos, however they are written: read whole and checked before anything is decoded.

    listed = read_list("ssv2", "/data/ssv2", "train", prefix="/data/ssv2/videos", num_classes=174)
    listed.videos[0]                  # Video(path=".../videos/78687.webm", label=0, row="entry 1")

A reader of `READERS` yields the rows of a format; what holds for all formats is checked here. In a
csv, a part of a video is written behind its path: ``dive.mp4#t=1.5,4`` (seconds),
``dive.mp4#frames=0,90``.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from slowfast_bias.datasets.lists import json_lists, text
from slowfast_bias.datasets.lists.source import Row, Source
from slowfast_bias.datasets.lists.video_names import VideoNames
from slowfast_bias.errors import DataError

# format -> its reader, and the levels of folders in which files are looked for by their name
READERS: dict[str, tuple[Callable[[Source], Iterable[Row]], int]] = {
    "csv": (text.read_csv, 0),
    "kinetics": (text.read_kinetics, 3),
    "ucf101": (text.read_ucf101, 0),
    "hmdb51": (text.read_hmdb51, 0),
    "folders": (text.read_folders, 0),
    "ssv2": (json_lists.read_something, 1),
    "something_else": (json_lists.read_something, 1),
    "diving48": (json_lists.read_diving48, 1),
    "activitynet": (json_lists.read_activitynet, 2),
}


class Video(NamedTuple):
    """A video, or a part of one, and its class."""

    path: str
    label: int
    row: str  # where in the list it stands
    start: float = 0.0
    end: float = 0.0
    unit: str = ""  # of start and end: "t" seconds, "frames", "" for the whole file

    @property
    def name(self) -> str:
        """The path, with the part behind it."""
        return f"{self.path}#{self.unit}={self.start:g},{self.end:g}" if self.unit else self.path


@dataclass(frozen=True)
class VideoList:
    """The videos of a split, and the file they were listed in."""

    file: str
    videos: list[Video]


def read_list(
    form: str,
    folder: str,
    split: str,
    *,
    names: Sequence[str] = (),
    prefix: str = "",
    separator: str | None = None,
    num_classes: int,
) -> VideoList:
    """The videos of a split; DataError names the file and the first row that is wrong.

    Args:
        form: One of `READERS`.
        folder: Of the list files.
        split: train, val or test.
        names: List files of train, val and test; none: those that the format's publisher gave.
        prefix: The folder of the videos; "" for ``folder``. A row that leads out of it is refused.
        separator: What stands between path and label in a csv; None or " ": any white space.
        num_classes: How many classes the network tells apart.
    """
    if form not in READERS:
        raise DataError(
            f"Expected BIAS.DATA.FORMAT to be one of {', '.join(READERS)}, but got {form!r}."
        )
    reader, depth = READERS[form]
    source = Source(form, folder, split, tuple(names), separator)
    at = prefix or folder
    files = VideoNames(at, depth) if depth else None
    videos, seen, where = [], {}, source.list_file
    for row in reader(source):
        video, where = _video(row, at, bool(prefix), files, num_classes), row.file
        key = video[:1] + video[3:]
        if key in seen:
            raise row.wrong(
                f"{video.name} stands in {seen[key]} already, and would count twice. Keep one"
            )
        seen[key] = video.row
        videos.append(video)
    if not videos:
        raise DataError(f"Expected videos in {where}, but it lists none: zero videos.")
    return VideoList(where, videos)


def inside(folder: str, name: str, strict: bool) -> str | None:
    """The path of a listed name; None where it leads out of the folder.

    Args:
        folder: The folder of the videos.
        name: As it is listed, absolute or not.
        strict: An absolute name must lie in the folder, too.
    """
    if "\0" in name:
        return None
    if os.path.isabs(name) or "://" in name:
        root = folder.rstrip("/") + "/"
        plain = name if "://" in name else posixpath.normpath(name)
        out = ".." in plain.split("/") or not plain.startswith(root)
        return None if strict and out else plain
    plain = posixpath.normpath(name)
    return None if plain == ".." or plain.startswith("../") else posixpath.join(folder, plain)


_PART = re.compile(r"(.+)#(t|frames)=([0-9.]+),([0-9.]+)")


def _video(
    row: Row, folder: str, strict: bool, files: VideoNames | None, num_classes: int
) -> Video:
    if not 0 <= row.label < num_classes:
        raise row.wrong(
            f"the label {row.label} is not one of the {num_classes} classes (MODEL.NUM_CLASSES)"
        )
    name, unit, start, end = row.name, row.unit, row.start, row.end
    if files is None and (part := _PART.fullmatch(name)):
        try:
            name, unit, start, end = part[1], part[2], float(part[3]), float(part[4])
        except ValueError:
            raise row.wrong(f"the part {name!r} has no number where one should be") from None
    if unit and not 0 <= start < end:
        raise row.wrong(f"its part goes from {start:g} to {end:g}; the end comes after the start")
    path = inside(folder, name, strict)
    if path is None:
        raise row.wrong(
            f"the path {name!r} leads out of the folder of the videos, {folder} "
            "(DATA.PATH_PREFIX, or else DATA.PATH_TO_DATA_DIR)"
        )
    if files is not None:
        path = inside(folder, files.find(name, *row.others), strict) or path
    return Video(path, row.label, f"{row.kind} {row.number}", start, end, unit)
