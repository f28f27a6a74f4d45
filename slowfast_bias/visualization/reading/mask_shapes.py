"""Checks that the data of a test of masks have the shape that the page reads.

Names of sequences are a user's, so that this is not checked by the names of keys, as other files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.reading.shapes import check_meta, shape_error

_MEASURES = ("J_mean", "F_mean")


def check_masks(path: str, content: Mapping[str, Any]) -> None:
    """Raises ResultError, with the place, if data of `segmentation.json` have a wrong shape."""
    check_meta(path, content.get("meta", {}))
    for place, value, wanted in _wrong(content):
        raise shape_error(path, place, value, wanted)
    if not (content.get("masks") or content.get("boxes")):
        raise ResultError(f"Expected `masks` or `boxes` in the data of {path}: run it again.")


def _wrong(content: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Returns every value of a wrong shape: (its place, itself, what was expected)."""
    if not _is_count(content.get("frames")):
        yield "frames", content.get("frames"), "the number of frames"
    for part, each in (("masks", "sequences"), ("boxes", "videos")):
        found = content.get(part)
        if found is None:
            continue
        inside = [found.get(x) for x in ("means", each)] if isinstance(found, Mapping) else []
        if not inside or not all(isinstance(x, Mapping) for x in inside):
            yield part, found, f"an object with `means` and `{each}`"
            continue
        yield from _wrong_numbers(f"{part}.means", found["means"])
        rows = found[each]
        if part == "boxes":
            yield from _wrong_numbers(f"{part}.{each}", rows)
            continue
        for name, row in rows.items():
            if not isinstance(row, Mapping):
                yield f"{part}.{each}.{name}", row, "an object"
            else:
                known = {key: row.get(key) for key in _MEASURES}
                yield from _wrong_numbers(f"{part}.{each}.{name}", known)
        missing = found.get("missing_frames") or {}
        if not isinstance(missing, Mapping) or not all(map(_is_count, missing.values())):
            yield f"{part}.missing_frames", missing, "the number of frames of each sequence"


def _wrong_numbers(place: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for key, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # decay is a difference of percents
        if value is not None and not (number and math.isfinite(value) and abs(value) <= 100.5):
            yield f"{place}.{key}", value, "percent"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
