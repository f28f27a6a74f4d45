"""Lists of videos in any known format: read whole and checked before anything is decoded.

    listed = read_list("ssv2", "/data/ssv2", "train", prefix="/data/ssv2/videos", num_classes=174)
    listed.videos[0]                  # Video(path=".../videos/78687.webm", label=0, row="entry 1")

A reader of `READERS` yields the rows of a format; the rules of all formats are checked here. In a
csv a part of a video is written after its path (`slowfast_bias.datasets.lists.video_parts`).

Only names are checked for leading out of the folder of the videos: a link in the folder comes from
its owner, not from the list, and is followed.
"""

from __future__ import annotations

import logging
import math
import os
import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from slowfast_bias.datasets.lists import json_lists, kinetics, rawframes, text, unlabelled
from slowfast_bias.datasets.lists.list_source import Row, Source
from slowfast_bias.datasets.lists.video_names import VideoNames
from slowfast_bias.datasets.lists.video_parts import with_part
from slowfast_bias.errors import DataError

log = logging.getLogger(__name__)

# format -> its reader, and the levels of folders in which files are searched by name
READERS: dict[str, tuple[Callable[[Source], Iterable[Row]], int]] = {
    "csv": (text.read_csv, 0),
    "kinetics": (kinetics.read_kinetics, 3),
    "ucf101": (text.read_ucf101, 0),
    "hmdb51": (text.read_hmdb51, 0),
    "rawframes": (rawframes.read_rawframes, 0),
    "folders": (text.read_folders, 0),
    "unlabelled": (unlabelled.read_unlabelled, 0),
    "ssv2": (json_lists.read_something, 1),
    "something_else": (json_lists.read_something, 1),
    "diving48": (json_lists.read_diving48, 1),
    "activitynet": (json_lists.read_activitynet, 3),
}


class Video(NamedTuple):
    """A video, or a part of one, and its class."""

    path: str
    label: int
    row: str  # its place in the list
    start: float = 0.0
    end: float = 0.0
    unit: str = ""  # of start and end: "t" seconds, "frames", "" for the whole file
    group: str = ""  # what several files are cut from, if the list tells
    frames: int = 0  # how many of a folder of pictures count, if the list tells; 0: all

    @property
    def name(self) -> str:
        """The path, followed by the part."""
        return with_part(self.path, self.unit, self.start, self.end)

    @property
    def recording(self) -> str:
        """What it is cut from: its group, else its file. Videos of one are not independent."""
        return self.group or self.path


class LeftOut(NamedTuple):
    """A row that is a known error of its publisher, and why it is not a video."""

    name: str
    row: str
    reason: str


@dataclass(frozen=True)
class VideoList:
    """The videos of a split, the file of their list, and its rows that are not videos."""

    file: str
    videos: list[Video]
    left_out: tuple[LeftOut, ...] = ()
    classes: dict[str, int] = field(default_factory=dict)  # numbers of classes called by name
    names: dict[str, int] = field(default_factory=dict)  # of all classes that the files name


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
    """Returns the videos of a split; DataError names the file and the first row that is wrong.

    Args:
        form: one of `READERS`.
        folder: of the list files.
        split: train, val or test.
        names: list files of train, val and test; none: those of the format's publisher.
        prefix: the folder of the videos; "" for `folder`. A row that leads out of it is an error.
        separator: text between path and label in a csv; None or " ": white space, or commas where
            that cannot be.
        num_classes: number of classes of the network.
    """
    if form not in READERS:
        raise DataError(
            f"Expected BIAS.DATA.FORMAT to be one of {', '.join(READERS)}, but got {form!r}."
        )
    reader, depth = READERS[form]
    source = Source(form, folder, split, tuple(names), separator)
    at = prefix or folder
    files = VideoNames(at, depth) if depth else None
    strict = bool(prefix) or files is not None
    videos, seen, left_out, where = [], {}, [], source.list_file
    classes: dict[str, int] = {}
    for row in reader(source):
        place = row.place
        if "*" in posixpath.basename(where):  # a list of several files
            place = f"{posixpath.basename(row.file)}, {place}"
        else:
            where = row.file
        if row.flaw:
            name = with_part(row.name, row.unit, row.start, row.end)
            left_out.append(LeftOut(name, place, row.flaw))
            continue
        path = _path(row, at, strict, files, num_classes)
        if row.called:
            classes[row.called] = row.label
        part = (row.start, row.end, row.unit)
        video = Video(path, row.label, place, *part, row.recording, row.frames)
        key = (video.path, video.start, video.end, video.unit)
        if key in seen:
            raise row.wrong(
                f"{video.name} stands in {seen[key]} already, and would count twice. Keep one"
            )
        seen[key] = video.row
        videos.append(video)
    _warn(where, left_out)
    if not videos:
        others = f", and {len(left_out)} files or rows that are left out" if left_out else ""
        raise DataError(f"Expected videos in {where}, but it lists none: zero videos{others}.")
    classes = dict(sorted(classes.items(), key=lambda item: item[1]))
    return VideoList(where, videos, tuple(left_out), classes, dict(source.classes))


def _warn(file: str, left_out: Sequence[LeftOut]) -> None:
    for reason in dict.fromkeys(out.reason for out in left_out):
        names = [f"{out.name} ({out.row})" for out in left_out if out.reason == reason]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        log.warning("%s: %d left out (%s): %s", file, len(names), reason, shown)


def inside(folder: str, name: str, strict: bool) -> str | None:
    """Returns the path of a listed name; None if it leads out of the folder.

    Args:
        folder: the folder of the videos.
        name: as it is listed, absolute or not.
        strict: an absolute name must be in the folder, too.
    """
    if "\0" in name:
        return None
    if os.path.isabs(name) or "://" in name:
        root = (folder if "://" in folder else os.path.abspath(folder)).rstrip("/") + "/"
        plain = name if "://" in name else posixpath.normpath(name)
        out = ".." in plain.split("/") or not plain.startswith(root)
        return None if strict and out else plain
    plain = posixpath.normpath(name)
    return None if plain == ".." or plain.startswith("../") else posixpath.join(folder, plain)


def _path(row: Row, folder: str, strict: bool, files: VideoNames | None, num_classes: int) -> str:
    if not 0 <= row.label < num_classes:
        raise row.wrong(
            f"the label {_label(row)} is not one of the {num_classes} classes (MODEL.NUM_CLASSES)"
        )
    if row.unit and not 0 <= row.start < row.end < math.inf:
        raise row.wrong(
            f"its part goes from {row.start:g} to {row.end:g}; the end must be a number and come "
            "after the start"
        )
    if "://" not in row.name and posixpath.normpath(row.name) == ".":
        raise row.wrong(f"expected the name of a video, but got {row.name!r}")
    path = inside(folder, row.name, strict)
    if path is None:
        raise row.wrong(
            f"the path {row.name!r} leads out of the folder of the videos, {folder} "
            "(DATA.PATH_PREFIX, or else DATA.PATH_TO_DATA_DIR)"
        )
    if files is not None:
        path = inside(folder, files.find(row.name, *row.others), strict) or path
    if not _is_text(path) and not os.path.exists(path):
        raise row.wrong(
            f"expected text in UTF-8, or the bytes of a file's name, but there is no file {path!r}"
        )
    return path


def _label(row: Row) -> str:
    return f"{row.label} ({row.called})" if row.called else str(row.label)


def _is_text(name: str) -> bool:
    """Returns whether a name is valid text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
