"""Sequences: folders of pictures, one a frame, in the order of the numbers in their names.

Numbers may leave gaps (YouTube-VOS keeps every fifth frame): a frame is known by its name without
the ending, and masks and flow are found by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.frame_folder import Series
from slowfast_bias.datasets.lists.video_names import is_picture
from slowfast_bias.errors import DataError

_DEPTH = 3  # folders of sequences in folders of sources (TAO) or parts (ImageNet-VID)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class FrameSequence:
    """The frames of a sequence.

    Attributes:
        name: the path of its folder below that of all sequences.
        folder: the path of its folder.
        files: names of the pictures, in order.
    """

    name: str
    folder: str
    files: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def frames(self) -> tuple[str, ...]:
        """The names of the frames: those of the files without their ending."""
        return tuple(stem(file) for file in self.files)

    def path(self, frame: int) -> str:
        """Returns the path of a frame's picture."""
        return f"{self.folder}/{self.files[frame]}"

    def picture(self, frame: int) -> np.ndarray:
        """Returns a frame, uint8 (H, W, 3) in RGB; VideoError if it is missing or not whole."""
        return Series(self.folder, self.files).picture(frame)


def stem(file: str) -> str:
    """Returns the name of a file without its ending."""
    return file.rpartition(".")[0]


def find_sequences(root: str) -> dict[str, FrameSequence]:
    """Returns {name: sequence} of all folders of pictures below a folder, by name."""
    if not g_pathmgr.isdir(root):
        raise DataError(f"Expected a folder of sequences at {root}, but there is no such folder.")
    return dict(sorted(_walk(root.rstrip("/"), "", _DEPTH)))


def read_sequence(folder: str, name: str) -> FrameSequence:
    """Returns the sequence in a folder; DataError if two of its pictures have one name."""
    files = sorted(filter(_is_frame, g_pathmgr.ls(folder)), key=in_order)
    for one, other in zip(files, files[1:], strict=False):
        if stem(one) == stem(other):
            raise DataError(
                f"Expected one picture of each frame in {folder}, but both {one} and {other} are "
                "there. Remove one."
            )
    return FrameSequence(name, folder, tuple(files))


def in_order(name: str) -> list[tuple[int, int | str]]:
    """Returns a key that sorts names by the numbers in them: 9 before 10."""
    parts = _DIGITS.split(stem(name))
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]


def _is_frame(name: str) -> bool:
    return is_picture(name) and not name.startswith(".")


def _walk(folder: str, name: str, depth: int) -> Iterator[tuple[str, FrameSequence]]:
    entries = sorted(entry for entry in g_pathmgr.ls(folder) if not entry.startswith("."))
    if name and any(map(is_picture, entries)):
        yield name, read_sequence(folder, name)
        return
    for entry in entries if depth else ():
        if not is_picture(entry) and g_pathmgr.isdir(f"{folder}/{entry}"):
            yield from _walk(f"{folder}/{entry}", f"{name}/{entry}" if name else entry, depth - 1)
