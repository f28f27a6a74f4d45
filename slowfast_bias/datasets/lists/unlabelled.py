"""A folder of videos without any list: every video below it, all of class 0.

Only for measuring, which needs no labels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from slowfast_bias.datasets.lists.list_source import Row, Source
from slowfast_bias.datasets.styles.folders import find_videos


def read_unlabelled(source: Source) -> Iterator[Row]:
    """Yields every video below the folder, in the order of their names."""
    folder = source.list_file.rstrip("/")
    for number, path in enumerate(find_videos(folder).values(), 1):
        # absolute: the folder of the lists is not put before it a second time
        absolute = path if "://" in path else os.path.abspath(path)
        yield Row(folder, number, absolute, 0, kind="video")
