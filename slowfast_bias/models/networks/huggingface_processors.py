"""Processors: how Hugging Face wants its clips, as DATA.MEAN, DATA.STD and a short side.

Clips are in [0, 1] here and become (x - mean) / std; what a processor does to bytes (rescale,
offset, normalise) is written as such a mean and std.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.huggingface_folders import FOLDER, read_json
from slowfast_bias.models.networks.huggingface_kinds import Kind

# The first one that is there counts. The last one holds several processors.
_FILES = ("video_preprocessor_config.json", "preprocessor_config.json")
_TOGETHER = "processor_config.json"


def find_processor(path: Path) -> tuple[dict[str, Any], str]:
    """Returns what a folder says of preparing clips, and the file that says so; {}, "" if none."""
    for name in _FILES:
        if (found := read_json(path / name)) is not None:
            return found, name
    together = read_json(path / _TOGETHER) or {}
    for part in ("video_processor", "image_processor"):
        if part in together:
            if not isinstance(together[part], dict):
                raise _refusal(part, "{...}", together[part])
            return together[part], _TOGETHER
    return {}, ""


def short_side(processor: Mapping[str, Any]) -> int:
    """Returns the short side to which videos are resized; 0 if it is not said."""
    size = processor.get("size") or {}
    side = size
    if isinstance(size, Mapping):
        side = size.get("shortest_edge") or size.get("height") or 0
    if type(side) is not int or side < 0:
        raise _refusal("size", "a number of pixels", size)
    return side


def normalisation(processor: Mapping[str, Any], kind: Kind) -> tuple[list[float], list[float]]:
    """Returns mean and std for clips in [0, 1].

    A processor makes ((255 x) * rescale - offset - mean) / std of x.
    """
    scale, offset = 1.0, 0.0
    if _said(processor, "do_rescale", True):
        scale = _said(processor, "rescale_factor", kind.rescale)
        if not _is_number(scale) or scale <= 0:
            raise _refusal("rescale_factor", "a number above 0", scale)
        offset = kind.offset if _said(processor, "offset", bool(kind.offset)) else 0.0
    normalises = kind.normalises
    if normalises is None:
        normalises = _said(processor, "do_normalize", True)
    mean = _said(processor, "image_mean", kind.mean) if normalises else 0.0
    std = _said(processor, "image_std", kind.std) if normalises else 1.0
    return (
        [round((x + offset) / (255 * scale), 6) for x in _three(mean, "image_mean")],
        [round(x / (255 * scale), 6) for x in _three(std, "image_std")],
    )


def _said(processor: Mapping[str, Any], key: str, default: Any) -> Any:
    value = processor.get(key)
    return default if value is None else value


def _three(values: Any, key: str) -> tuple[float, ...]:
    three = tuple(values) if isinstance(values, (list, tuple)) else (values,) * 3
    if len(three) != 3 or not all(map(_is_number, three)):
        raise _refusal(key, "a number, or one for each of three colours", values)
    return three


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _refusal(key: str, expected: str, got: Any) -> RequestError:
    return RequestError(
        f"{FOLDER}: expected `{key}` of the JSON that prepares its clips to be {expected}, but got "
        f"{got!r}; correct it, or download the folder again"
    )
