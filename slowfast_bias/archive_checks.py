"""Floor 0: whether a file of weights is what was written, and asks for no more than it holds.

    damage_of("checkpoint_epoch_00002.pyth")     # "" if nothing was found

A zip has a checksum for each of its parts, which torch writes and does not look at. And it may
unpack to a thousand times its size: what it announces is compared with what it is. (Pickles that
ask for too much are refused by their reader, `models.weights.inert`.)
"""

from __future__ import annotations

import os
import zipfile
import zlib
from typing import IO

from iopath.common.file_io import g_pathmgr

_RATIO = 50  # weights that shrink further are zeros
_SMALL = 64 << 20  # bytes that no machine lacks


def check_file(path: str | os.PathLike[str], error: type[Exception]) -> None:
    """Raises `error` if a file of weights is not what was written, or asks for too much."""
    damage = damage_of(path)
    if damage:
        raise error(
            f"Expected {path} to be a whole file of weights, but {damage}. Copy it again, or give "
            "another file."
        )


def damage_of(path: str | os.PathLike[str]) -> str:
    """Returns what is wrong with a file, in words; "" if it may be read.

    A file that is not there, or whose form is unknown, is left to its reader's words.
    """
    path = os.fspath(path)
    try:
        if not g_pathmgr.isfile(path):
            return ""
        with g_pathmgr.open(path, "rb") as file:
            return _of_zip(file) if file.read(2) == b"PK" else ""
    except (OSError, EOFError):
        return ""


def _of_zip(file: IO[bytes]) -> str:
    size = _size(file)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if unpacked > max(_SMALL, _RATIO * size):
                return f"it would unpack to {unpacked / size:.0f} times its size"
            if any(part.CRC for part in parts):  # torch can be told to write none
                bad = archive.testzip()
                if bad is not None:
                    return f"the checksum of {bad} is not that of its bytes"
            return ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, zlib.error):
        return ""  # the reader says it


def _size(file: IO[bytes]) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size
