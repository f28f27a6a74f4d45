"""Finds the videos of a list by what other lists call them: a path, a file's name, or an id.

A clip of Kinetics, `<id>_000017_000027`, is found by its id alone too, and by its seconds without
zeros before them; all parts of a file by the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from slowfast_bias.datasets.lists.video_names import is_video
from slowfast_bias.datasets.lists.video_parts import split_part

_CLIP = re.compile(r"(.+)_(\d{6})_(\d{6})")


class VideoIndex:
    """The videos of a list by name; all parts of a file are found by the file's name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._found: dict[str, list[int]] = {}
        for position, name in enumerate(self.names):
            for key in dict.fromkeys((*_forms(name), *_short_forms(name))):
                self._found.setdefault(key, []).append(position)

    def find(self, *names: str) -> list[int]:
        """Returns the videos of the first name that is there; [] if none is."""
        for name in names:
            for key in dict.fromkeys(_forms(name)):  # no shorter ones: another clip has these too
                if key in self._found:
                    return self._found[key]
        return []

    def find_clip(self, name: str, start: int, end: int) -> list[int]:
        """Returns the videos that are one clip of a recording, by seconds; [] if there is none.

        A video of the bare name, without seconds in it, is taken for the clip; other clips and
        parts of the recording are not.
        """
        found = self.find(f"{name}_{start:06d}_{end:06d}", f"{name}_{start}_{end}")
        if found:
            return found
        return [x for x in self.find(name) if _may_be(self.names[x], name, start, end)]

    def files(self, positions: Sequence[int]) -> list[str]:
        """Returns the different files of videos."""
        return list(dict.fromkeys(_file(self.names[position]) for position in positions))


def _forms(name: str) -> list[str]:
    """Returns ways of writing a name, the fullest first; a part of a file keeps its part."""
    file = _file(name)
    part, last = name[len(file) :], file.rstrip("/").rpartition("/")[2]
    stem = last.rpartition(".")[0] if is_video(last) else last
    return [name, last + part, stem + part]


def _short_forms(name: str) -> list[str]:
    """Returns what else a video is called: its file without the part, a clip of Kinetics."""
    whole = _forms(_file(name))
    clip = _CLIP.fullmatch(whole[-1])
    return [*whole, *([f"{clip[1]}_{int(clip[2])}_{int(clip[3])}", clip[1]] if clip else [])]


def _may_be(video: str, name: str, start: int, end: int) -> bool:
    """Returns whether a video of the recording `name` may be this clip: as a whole, or a part."""
    try:
        _, unit, first, last = split_part(video)
    except ValueError:
        unit, first, last = "", 0.0, 0.0
    if unit:
        return unit == "t" and (int(first), int(last)) == (start, end)
    return name in _forms(video)  # under a shorter name it is a clip of other seconds


def _file(name: str) -> str:
    try:
        return split_part(name)[0]
    except ValueError:
        return name
