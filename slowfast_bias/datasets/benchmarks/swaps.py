"""Which background each human of HAT's action swap is given: `{A: [B, B_frames, B_class]}`.

The publisher has it as a pickle, which is read without running anything that it holds; JSON of the
same serves as well.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError
from slowfast_bias.models.weights.torch_files import read_pickle

_SHOWN = 5  # names in an error


class Swap(NamedTuple):
    """The video that a background is of: its name in the list, its frames, and its class."""

    name: str
    frames: int
    label: int


def read_swaps(path: str, names: Sequence[str], num_classes: int) -> dict[str, Swap]:
    """Returns {name: its background} of the named videos; DataError if one has none.

    Args:
        path: a pickle, or JSON.
        names: of the videos whose humans are shown, as in their list.
        num_classes: number of classes of the network.
    """
    content = _content(path)
    if not isinstance(content, dict):
        raise DataError(
            f"Expected {{A: [B, B_frames, B_class]}} in {path}, but got {_kind(content)}."
        )
    missing = [name for name in names if name not in content]
    if missing:
        raise DataError(
            f"Expected a background for each of {len(names)} videos in {path}, but {len(missing)} "
            f"have none: {', '.join(missing[:_SHOWN])}{', ...' if missing[_SHOWN:] else ''}. Take "
            "them off the list (BIAS.BEHAVIOUR.HAT_LIST), or set BIAS.BEHAVIOUR.HAT_SWAP to the "
            "file that goes with it."
        )
    return {name: _swap(path, name, content[name], num_classes) for name in names}


def _content(path: str) -> Any:
    with g_pathmgr.open(path, "rb") as file:
        data = file.read()
    try:
        if data.lstrip()[:1] == b"{":
            return json.loads(data)
        return read_pickle(io.BytesIO(data))
    except Exception as error:  # damaged pickles, and those that call what is not built
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DataError(
            f"Expected a pickle or JSON of {{A: [B, B_frames, B_class]}} in {path}, but it cannot "
            f"be read ({reason[:200]})."
        ) from error


def _swap(path: str, name: str, value: Any, num_classes: int) -> Swap:
    kinds = (str, int, int)
    is_swap = isinstance(value, (list, tuple)) and len(value) == len(kinds)
    pairs = zip(value, kinds, strict=True) if is_swap else ()
    if not is_swap or not all(type(part) is kind for part, kind in pairs) or value[1] < 1:
        raise DataError(
            f"Expected [B, B_frames, B_class] for {name} in {path}, but got {_kind(value)}."
        )
    if not 0 <= value[2] < num_classes:
        raise DataError(
            f"Expected a class from 0 to {num_classes - 1} (MODEL.NUM_CLASSES) for the background "
            f"of {name} in {path}, but got {value[2]}."
        )
    return Swap(*value)


def _kind(value: Any) -> str:
    """Returns what came, in a few words; an object of a file is not asked for its own."""
    plain = isinstance(value, (str, int, float, list, tuple, dict, type(None)))
    return repr(value)[:80] if plain else f"an object ({getattr(value, 'stands_for', '')})"
