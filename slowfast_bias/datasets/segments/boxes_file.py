"""MoCA's annotations.csv: one box a frame, of its filtered frames.

    ,file_list,spatial_coordinates,metadata
    0,/arabian_horn_viper/00000.jpg,"[2,482,225,507,191]",{'1': '0'}

The five numbers are 2 (a rectangle), x, y, width and height. Negative x and y are set to 0, as the
protocol does. Rows of an empty box are no frames.
"""

from __future__ import annotations

import csv
import io
import json
import math

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.lists.list_source import wrong
from slowfast_bias.datasets.segments.frames import stem
from slowfast_bias.errors import DataError

Box = tuple[float, float, float, float]
_COLUMNS = ("file_list", "spatial_coordinates")


def read_boxes(path: str) -> dict[str, dict[str, Box]]:
    """Returns {video: {frame: (x, y, x, y)}} of two opposite corners; DataError names the row."""
    with g_pathmgr.open(path, "rb") as file:
        text = file.read().decode("utf-8-sig", "replace")
    rows = csv.DictReader(io.StringIO(text))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise DataError(
            f"Expected the columns {', '.join(_COLUMNS)} in {path}, but got {rows.fieldnames}. It "
            "is the annotations.csv of the motiongrouping project that is read."
        )
    found: dict[str, dict[str, Box]] = {}
    for number, row in enumerate(rows, start=2):
        place, (name, corners) = f"row {number}", (row[column] or "" for column in _COLUMNS)
        if corners.replace(" ", "") == "[]":
            continue
        video, _, frame = name.strip("/").rpartition("/")
        if not video:
            raise wrong(path, place, f"expected video/frame.jpg, but got {name!r}")
        if stem(frame) in found.setdefault(video, {}):
            raise wrong(path, place, f"{name} stands in an earlier row already; keep one")
        found[video][stem(frame)] = _box(path, place, corners)
    if not found:
        raise DataError(f"Expected boxes in {path}, but it has none.")
    return found


def _box(path: str, place: str, text: str) -> Box:
    try:
        kind, x, y, width, height = map(float, json.loads(text))
    except (ValueError, TypeError):
        problem = f"expected [2, x, y, width, height], but got {text[:60]!r}"
        raise wrong(path, place, problem) from None
    if kind != 2 or not all(map(math.isfinite, (x, y))) or not min(width, height) > 0:
        raise wrong(path, place, f"expected a rectangle of some size, but got {text[:60]!r}")
    x, y = max(x, 0.0), max(y, 0.0)
    return x, y, x + width, y + height
