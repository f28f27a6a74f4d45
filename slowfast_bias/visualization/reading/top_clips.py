"""Top clips from a file, checked while it is read, and the film strips beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.drawing.film_strip import read_strip
from slowfast_bias.visualization.drawing.style import COLORS
from slowfast_bias.visualization.reading.result_files import read_results

KIND = "top_clips"


def read_top_clips(path: str) -> dict[str, Any]:
    """Returns the data and meta of a `bias/top_clips.json`; ResultError if it is not whole."""
    (content,) = read_results([path], KIND).values()
    units = content.get("units")
    if not isinstance(units, list) or not all(map(_is_unit, units)):
        raise ResultError(
            f"Expected `units` of {path} to have a layer, unit, kind, scores, most and least each: "
            "the file was changed, or cut short. Measure again with BIAS.TOP_CLIPS."
        )
    if units and not _is_count(content.get("frames")):
        raise ResultError(f"Expected the number of `frames` of a strip in {path}.")
    size = content.get("size")
    if size and not (isinstance(size, list) and len(size) == 2 and all(map(_is_count, size))):
        raise ResultError(f"Expected height and width as `size` of {path}, but got {size!r}.")
    return content


def read_frames_of(path: str, content: Mapping[str, Any], strip: str) -> list[np.ndarray]:
    """Returns the frames of a strip that the file at `path` names; ResultError."""
    name = PurePosixPath(strip)
    if name.is_absolute() or ".." in name.parts:
        raise ResultError(f"Expected strips in the folder of {path}, but it names {strip!r}.")
    return read_strip(os.path.join(os.path.dirname(path), strip), content["frames"])


def _is_unit(unit: Any) -> bool:
    if not isinstance(unit, Mapping) or unit.get("kind") not in list(COLORS):
        return False
    if not isinstance(unit.get("layer"), str) or not isinstance(unit.get("scores"), Mapping):
        return False
    lists = [unit.get(end) for end in ("most", "least")]
    classes = unit.get("classes") or []
    if not isinstance(classes, list) or not all(isinstance(x, Mapping) for x in classes):
        return False
    return isinstance(unit.get("unit"), int) and all(
        isinstance(x, list) and all(map(_is_clip, x)) for x in lists
    )


def _is_clip(clip: Any) -> bool:
    if not isinstance(clip, Mapping) or not isinstance(clip.get("strip"), str):
        return False
    return isinstance(clip.get("value"), (int, float))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value > 0
