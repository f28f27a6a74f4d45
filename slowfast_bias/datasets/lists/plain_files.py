"""Small text files that a user writes: one entry a row, `#` begins a comment."""

from __future__ import annotations

import re
from typing import NamedTuple

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError

_COMMENT = re.compile(r"(^|\s)#.*")


class Entry(NamedTuple):
    """What a row holds, and where it stands."""

    text: str
    place: str


def read_text(path: str, key: str) -> str:
    """Returns the content of the file that a config key names; DataError."""
    if not g_pathmgr.isfile(path):
        raise DataError(
            f"Expected {key} to name a file, but there is no {path!r}. Correct the path."
        )
    with g_pathmgr.open(path, "rb") as file:
        data = file.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected text in UTF-8 in {path} ({key}), but byte {error.start} is not UTF-8."
        ) from error


def read_entries(path: str, key: str) -> list[Entry]:
    """Returns the rows that are neither blank nor a comment; DataError if there is none."""
    rows = re.split("\r\n|\r|\n", read_text(path, key))
    texts = ((_COMMENT.sub("", row).strip(" \r"), number) for number, row in enumerate(rows, 1))
    entries = [Entry(text, f"row {number}") for text, number in texts if text.strip()]
    if not entries:
        raise DataError(f"Expected entries in {path} ({key}), one a row, but it has none.")
    return entries
