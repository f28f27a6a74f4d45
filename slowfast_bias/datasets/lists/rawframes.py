"""Lists of folders of pictures, `folder num_frames label` a row, as MMAction's and those of SCUBA.

Names of classes hold blanks, and so do folders: a row is split from the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from slowfast_bias.datasets.lists.list_source import Row, Source, whole, wrong

_COPY = re.compile(r"(.+)__\d+(\.zip)?")  # SCUBA shows one video before several backgrounds


def read_rawframes(source: Source) -> Iterator[Row]:
    """Yields the folders of a list; copies `video__0`, `video__1`, ... are of one recording."""
    path = source.list_file
    for number, line in enumerate(source.lines(path), start=1):
        place, fields = f"row {number}", line.strip().rsplit(None, 2)
        if len(fields) != 3:
            raise wrong(path, place, f"expected `folder num_frames label`, but got {line[:200]!r}")
        name, frames = fields[0], whole(fields[1], path, place)
        if frames < 1:
            raise wrong(path, place, f"expected at least one frame in {name}, but got {frames}")
        copy = _COPY.fullmatch(name)
        recording = copy[1] if copy else ""
        label = whole(fields[2], path, place)
        yield Row(path, number, name, label, frames=frames, recording=recording)
