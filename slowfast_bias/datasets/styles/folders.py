"""Styled folders: videos that were styled beforehand, one folder per style.

    style_0/dance/frame_00001.jpg ...    style_1/dance/frame_00001.jpg ...
    style_0/jump.mp4                     style_1/jump.mp4

A video has the same name in every style; `aligned_frames` checks that it has the same frames.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.read_frames import VideoError
from slowfast_bias.datasets.lists.video_names import is_picture, is_video
from slowfast_bias.errors import DataError

SETTINGS = "stylize.json"  # from `slowfast_bias stylize`: how the styles beside it were made
_DEPTH = 3  # enough for folders of classes in folders of splits; ends loops of links
_NUMBERED = re.compile(r"\d\.\w+$")  # the name of a frame


@dataclass(frozen=True)
class StyleFolders:
    """A bank of styles on disk: its videos and their paths.

    Attributes:
        dirs: one folder per style.
        names: of the videos, in the order of their numbers.
        paths: for each style {name: path}, also of videos that are not in `names`.
        missing: {name: the style folders that lack it}.
    """

    dirs: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[dict[str, str], ...] = field(repr=False)
    missing: dict[str, list[str]] = field(repr=False)

    @property
    def num(self) -> int:
        """The number of styles."""
        return len(self.dirs)

    def about(self) -> dict[str, Any]:
        """Returns what a report holds of the styles, and how they were made if that is known."""
        made = _made(self.dirs)
        known = {"made": made} if made else {}
        return {"source": "folders", "dirs": list(self.dirs), "num": self.num, **known}

    def of(self, video: int) -> list[str]:
        """Returns the paths of a video, style by style; VideoError if a style lacks it."""
        name = self.names[video]
        if name in self.missing:
            raise VideoError(
                f"Expected {name} in every style, but {', '.join(self.missing[name])} lacks it."
            )
        return [paths[name] for paths in self.paths]


def find_styles(dirs: Sequence[str], list_file: str = "") -> StyleFolders:
    """Returns the styles in `dirs` and the videos that all of them have, in the order of names.

    Args:
        dirs: one folder per style, at least two.
        list_file: names of the videos to take instead, one a row, in this order. Those that a
            style lacks stay in the list, and cannot be read.
    """
    if len(dirs) < 2:
        raise DataError(
            f"Expected two style folders or more, because a pair needs two styles, but got "
            f"{list(dirs)}. Name them in BIAS.STYLES.DIRS."
        )
    _check_twice(dirs)
    paths = tuple(find_videos(folder) for folder in dirs)
    every = sorted(set().union(*paths))
    wanted = _read_list(list_file) if list_file else every
    missing = {
        name: lacking
        for name in wanted
        if (lacking := [d for d, videos in zip(dirs, paths, strict=True) if name not in videos])
    }
    if len(missing) == len(wanted):
        shown = "; ".join(
            f"{folder} has {len(videos)} ({', '.join([*videos][:3])}{', ...' * (len(videos) > 3)})"
            for folder, videos in zip(dirs, paths, strict=True)
        )
        of = f" of {list_file}" if list_file else ""
        raise DataError(
            f"Expected a video{of} that is in all styles, as style/video/frame_00001.jpg or "
            f"style/video.mp4, but there is none: {shown}. Give the folders that hold the videos' "
            "folders, and give a video the same name in each."
        )
    names = wanted if list_file else [name for name in wanted if name not in missing]
    return StyleFolders(tuple(dirs), tuple(names), paths, missing)


def find_videos(folder: str) -> dict[str, str]:
    """Returns {name: path} of the videos below a folder: video files, and folders of pictures.

    The name is the path from the folder, without a video file's ending, in Unicode's form NFC on
    every system. Hidden files, and pictures without a number, are left out.
    """
    if not g_pathmgr.isdir(folder):
        raise DataError(f"Expected a folder of videos at {folder}, but there is no such folder.")
    found: dict[str, str] = {}
    for entry, path in _search(folder.rstrip("/"), "", _DEPTH):
        name = unicodedata.normalize("NFC", entry)
        if name in found:
            raise DataError(
                f"Expected one video of each name in {folder}, but both {found[name]} and {path} "
                "are there. Rename or remove one."
            )
        found[name] = path
    return found


def is_series(folder: str) -> bool:
    """Returns whether a folder holds numbered pictures; DataError if it also holds videos."""
    inside = [name for name in g_pathmgr.ls(folder) if not name.startswith(".")]
    pictures = [name for name in inside if is_picture(name)]
    if not any(map(_NUMBERED.search, pictures)):
        return False
    for name in sorted(set(inside) - set(pictures)):
        if is_video(name) or g_pathmgr.isdir(f"{folder}/{name}"):
            raise DataError(
                f"Expected the frames of a video in {folder}, or videos, but {name} is there "
                f"beside {min(pictures)}. Move or remove one of them."
            )
    return True


def without_ending(name: str) -> str:
    """Returns the name of a video file without its ending; other names as they are."""
    return name.rpartition(".")[0] if is_video(name) else name


def _check_twice(dirs: Sequence[str]) -> None:
    """Raises DataError if two styles are one folder: both members of a pair would look the same."""
    places = [d if "://" in d else os.path.realpath(d) for d in dirs]
    for k, place in enumerate(places):
        if place in places[:k]:
            raise DataError(
                f"Expected another folder for each style, but {dirs[places.index(place)]} and "
                f"{dirs[k]} are the same. Name each once in BIAS.STYLES.DIRS."
            )


def _made(dirs: Sequence[str]) -> dict[str, Any]:
    """Returns the settings of `slowfast_bias stylize`, if one call made all of `dirs`; else {}."""
    parents = {os.path.dirname(folder.rstrip("/")) for folder in dirs}
    path = f"{parents.pop() or '.'}/{SETTINGS}"
    if parents or not g_pathmgr.isfile(path):
        return {}
    try:
        with g_pathmgr.open(path, "r") as file:
            made = json.load(file)
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}


def _search(folder: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for entry in sorted(g_pathmgr.ls(folder)):
        path, name = f"{folder}/{entry}", f"{prefix}{entry}"
        if entry.startswith("."):
            continue
        if not g_pathmgr.isdir(path):
            if is_video(entry):
                yield without_ending(name), path
        elif is_series(path):
            yield without_ending(name), path
        elif depth:
            yield from _search(path, f"{name}/", depth - 1)


def _read_list(path: str) -> list[str]:
    """Returns the names in a list file; DataError names the row that is wrong."""
    if not g_pathmgr.isfile(path):
        raise DataError(f"Expected a list of videos at {path}, but there is no such file.")
    try:
        with g_pathmgr.open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected names of videos in {path}, but it is no text: {error}."
        ) from None
    rows = [(n, row.strip().rstrip("/")) for n, row in enumerate(text.splitlines(), 1)]
    names: dict[str, int] = {}
    for number, row in rows:
        name, problem = unicodedata.normalize("NFC", without_ending(row)), ""
        if row.startswith("/") or ".." in row.split("/"):
            problem = "it leads out of the style folders"
        elif name in names:
            problem = f"row {names[name]} has it already"
        if problem:
            raise DataError(
                f"Expected the name of a video in row {number} of {path}, but {problem}: {row!r}. "
                "Fix or remove the row."
            )
        if name:
            names[name] = number
    if not names:
        raise DataError(f"Expected names of videos in {path}, one a row, but there are none.")
    return list(names)
