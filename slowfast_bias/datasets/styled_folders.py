"""Styled folders: videos that were styled beforehand, one folder per style.

    style_0/dance/frame_00001.jpg ...    style_1/dance/frame_00001.jpg ...
    style_0/jump.mp4                     style_1/jump.mp4

The numbers of a clip's frames are chosen once per video and read in both of its styles, so that a
dynamic pair differs in looks alone. A video whose styles differ in length is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decode import Timeline, VideoError, is_folder, probe
from slowfast_bias.datasets.decoding.frame_folder import list_frames
from slowfast_bias.datasets.lists.video_names import is_picture, is_video
from slowfast_bias.errors import DataError

ABOUT = "video.json"  # beside a video's frames, from tools/stylize.py: where they are from, fps
_DEPTH = 3  # folders of classes in folders of splits, and no endless links


@dataclass(frozen=True)
class StyleFolders:
    """A bank of styles on disk: which videos there are in it, and where.

    Attributes:
        dirs: one folder per style.
        names: the videos, by which they are counted.
        paths: for each style {name: path}, also of videos that are not in ``names``.
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

    @property
    def about(self) -> dict[str, Any]:
        """What a report says of the styles."""
        return {"source": "folders", "dirs": list(self.dirs), "num": self.num}

    def of(self, video: int) -> list[str]:
        """The paths of a video, style by style; VideoError where a style lacks it."""
        name = self.names[video]
        if name in self.missing:
            raise VideoError(
                f"Expected {name} in every style, but {', '.join(self.missing[name])} lacks it."
            )
        return [paths[name] for paths in self.paths]


def find_styles(dirs: Sequence[str], list_file: str = "") -> StyleFolders:
    """The styles in ``dirs`` and the videos that all of them have, in the order of their names.

    Args:
        dirs: one folder per style, two at least.
        list_file: names of the videos to take instead, one a row, in this order. Those that a
            style lacks stay in the list, and cannot be read.
    """
    if len(dirs) < 2:
        raise DataError(
            f"Expected two style folders or more, as a pair needs two looks, but got {list(dirs)}. "
            "Name them in BIAS.STYLES.DIRS."
        )
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
    """{name: path} of the videos below a folder: films, and folders of pictures.

    The name is the path from the folder, without a film's ending. Hidden ones are left out.
    """
    if not g_pathmgr.isdir(folder):
        raise DataError(f"Expected a folder of videos at {folder}, but there is no such folder.")
    found: dict[str, str] = {}
    for name, path in _search(folder.rstrip("/"), "", _DEPTH):
        if name in found:
            raise DataError(
                f"Expected one video of each name in {folder}, but both {found[name]} and {path} "
                "are there. Rename or remove one."
            )
        found[name] = path
    return found


def without_ending(name: str) -> str:
    """The name of a film without its ending; other names as they are."""
    return name.rpartition(".")[0] if is_video(name) else name


def aligned(paths: Sequence[str], fps: float = 30.0, backend: str = "pyav") -> Timeline:
    """The frames that the styles of one video have in common; VideoError where they differ.

    Pictures are counted and not opened.

    Args:
        paths: the video in each style.
        fps: the rate of folders of pictures that do not tell their own.
        backend: the decoder of films.
    """

    def frames(path: str) -> Timeline:
        if is_folder(path):
            return list_frames(path).timeline(rate_of(path, fps))
        return probe(path, backend=backend)

    first, *others = map(frames, paths)
    for path, other in zip(paths[1:], others, strict=True):
        if other.frames != first.frames:
            raise VideoError(
                f"Expected the styles of a video to have the same frames, but {paths[0]} has "
                f"{first.frames} and {path} has {other.frames}. Style it again."
            )
    return first


def rate_of(path: str, fps: float) -> float:
    """Frames a second of a folder of pictures, if it tells; else ``fps``."""
    about = f"{path}/{ABOUT}"
    if not g_pathmgr.isfile(about):
        return fps
    try:
        with g_pathmgr.open(about, "r") as file:
            return float(json.load(file)["fps"]) or fps
    except (ValueError, KeyError, TypeError) as error:
        raise VideoError(f"Expected `fps` in {about}, but it cannot be read: {error!r}.") from error


def _search(folder: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for entry in sorted(g_pathmgr.ls(folder)):
        path, name = f"{folder}/{entry}", f"{prefix}{entry}"
        if entry.startswith("."):
            continue
        if not g_pathmgr.isdir(path):
            if is_video(entry):
                yield without_ending(name), path
        elif any(is_picture(inside) for inside in g_pathmgr.ls(path)):
            yield without_ending(name), path
        elif depth:
            yield from _search(path, f"{name}/", depth - 1)


def _read_list(path: str) -> list[str]:
    """The names in a list file; DataError names the row that is wrong."""
    if not g_pathmgr.isfile(path):
        raise DataError(f"Expected a list of videos at {path}, but there is no such file.")
    with g_pathmgr.open(path, "r") as file:
        rows = [(n, row.strip()) for n, row in enumerate(file.read().splitlines(), 1)]
    names: dict[str, int] = {}
    for number, row in rows:
        name, problem = without_ending(row), ""
        if row.startswith("/") or ".." in row.split("/"):
            problem = "it leads out of the style folders"
        elif name in names:
            problem = f"row {names[name]} has it already"
        if problem:
            raise DataError(
                f"Expected the name of a video in row {number} of {path}, but {problem}: {row!r}. "
                "Mend or remove the row."
            )
        if name:
            names[name] = number
    if not names:
        raise DataError(f"Expected names of videos in {path}, one a row, but there are none.")
    return list(names)
