"""Finds files by their name without its ending: lists name videos so, and downloads differ."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError

_ENDINGS = (
    "mp4 mp4v m4v mov qt 3gp 3gpp 3g2 f4v mkv mk3d webm avi divx xvid flv wmv asf rm rmvb ts tp "
    "trp mts m2t m2ts mpg mpeg mpe mpv m1v m2v m2p mp2v vob mod tod ogv ogm ogx mxf dv nut ivf wtv "
    "y4m mjpeg mjpg h264 264 h265 265 hevc av1 obu gif apng"
)
VIDEOS = tuple(f".{ending}" for ending in _ENDINGS.split())
_PREVIEWS = (".gif", ".apng")  # previews, if they are beside a video of the same name
PICTURES = (".jpg", ".jpeg", ".png")
# where the scripts that download Kinetics put good copies of videos that are known to be damaged
_REPLACED = re.compile(r"(.*/)?replacement[^/]*/")


def is_video(name: str) -> bool:
    """Returns whether the name ends as a video's."""
    return name.lower().endswith(VIDEOS)


def is_picture(name: str) -> bool:
    """Returns whether the name ends as a picture's."""
    return name.lower().endswith(PICTURES)


class VideoNames:
    """The videos below a folder by their name; a folder of pictures may be a video, too.

    The listing is read once, at the first `find`.
    """

    def __init__(self, folder: str, depth: int) -> None:
        self.folder, self.depth = folder, depth
        self._found: dict[str, list[str]] | None = None

    def find(self, *names: str) -> str:
        """Returns the path below the folder of the first name that is there.

        If none is there, returns the first name: reading it will raise an error. Files below a
        folder `replacement...` are preferred to the files that they replace.
        """
        if self._found is None:
            self._found = {}
            for path in _walk(self.folder, self.depth):
                name = path.rpartition("/")[2]
                stem = name.rpartition(".")[0] if is_video(name) else name
                self._found.setdefault(stem, []).append(path)
        for name in names:
            paths = self._found.get(name, [])
            paths = [path for path in paths if _REPLACED.match(path)] or paths
            paths = [path for path in paths if not path.lower().endswith(_PREVIEWS)] or paths
            if len(paths) > 1 and len({_target(f"{self.folder}/{path}") for path in paths}) > 1:
                raise DataError(
                    f"Expected one video of the name {name} below {self.folder}, but there are "
                    f"{', '.join(sorted(paths))}. Keep one, or set DATA.PATH_PREFIX."
                )
            if paths:
                return paths[0]
        return names[0]


def _target(path: str) -> str:
    """Returns the file that a path leads to, through links."""
    return path if "://" in path else os.path.realpath(path)


def _walk(folder: str, depth: int, below: str = "") -> Iterator[str]:
    """Yields videos and folders, down to `depth`, by their path below the folder."""
    full = f"{folder}/{below}" if below else folder
    if not g_pathmgr.isdir(full):
        return
    for name, is_folder in _entries(full):
        path = f"{below}/{name}" if below else name
        if is_video(name) or is_folder:
            yield path
        if is_folder and depth > 1:
            yield from _walk(folder, depth - 1, path)


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Returns (name, whether a folder) of a folder's entries, without pictures and hidden files."""
    if "://" in folder:
        names = [n for n in g_pathmgr.ls(folder) if not n.startswith(".") and not is_picture(n)]
        return [(n, not is_video(n) and g_pathmgr.isdir(f"{folder}/{n}")) for n in sorted(names)]
    with os.scandir(folder) as entries:
        found = [
            (entry.name, entry.is_dir())
            for entry in entries
            if not entry.name.startswith(".") and not is_picture(entry.name)
        ]
    return sorted(found)
