"""Networks that are published as two files: MATNet's `encoder_<epoch>.pt` and `decoder_<epoch>.pt`.

They are read as one. Which half a file is follows from its names; the other half is looked for
beside it, under the same number. Half a network is given on as what it is: it is refused later,
unless it is asked for.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Collection
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.models.weights.errors import CheckpointError

log = logging.getLogger(__name__)

ENCODER, DECODER = HALVES = ("encoder", "decoder")
# A name that only this half has; several processes had it behind `module.`.
_MARKS = {
    ENCODER: re.compile(r"^(module\.)?gated_res5\."),
    DECODER: re.compile(r"^(module\.)?RF4\.pdc\."),
}
_NUMBERED = re.compile(r"(encoder|decoder)_(\d+)\.pth?")


def half_of(names: Collection[str]) -> str:
    """Returns which half has such names, one of HALVES; "" if they are of anything else."""
    return next((half for half in HALVES if any(map(_MARKS[half].match, names))), "")


def find_half(path: str) -> str:
    """Returns the encoder of the highest number that has a decoder, if `path` is their folder.

    If no two have the same number it is the newest half; any other path is returned as it is.
    """
    if not g_pathmgr.isdir(path):
        return path
    found = {(m[1], int(m[2])): m[0] for m in map(_NUMBERED.fullmatch, g_pathmgr.ls(path)) if m}
    numbers = {number for _, number in found}
    whole = [n for n in numbers if all((half, n) in found for half in HALVES)]
    if not found:
        return path
    newest = max(whole or numbers)
    name = found.get((ENCODER, newest)) or found[DECODER, newest]
    log.info("%s: files of networks in halves; the newest is taken, %s", path, name)
    return os.path.join(path, name)


def join_halves(
    state: dict[str, Any], path: str, read: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """Returns the content of a checkpoint, both halves in it if it is one of them.

    Args:
        state: the content of the file, weights under `model_state`.
        path: the file.
        read: gives the content of another one.
    """
    half = half_of(state["model_state"])
    if not half:
        return state
    weights = _under(half, state)
    if other := _beside(path, half):
        weights |= _other_half(other, HALVES[1 - HALVES.index(half)], read)
        log.info("%s and %s are read as one file", path, other)
    return {**state, "model_state": weights}


def _beside(path: str, half: str) -> str:
    """Returns where the other half is; "" if there is none."""
    folder, name = os.path.split(path)
    other = os.path.join(folder, name.replace(half, HALVES[1 - HALVES.index(half)]))
    return other if other != path and g_pathmgr.isfile(other) else ""


def _other_half(path: str, half: str, read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    state = read(path)
    if half_of(state["model_state"]) != half:
        first = ", ".join(list(state["model_state"])[:3])
        raise CheckpointError(
            f"Expected {path} to be the {half} of a MATNet, the other half of the file beside it, "
            f"but its names are others ({first}, ...). Give a folder with both files of one epoch."
        )
    return _under(half, state)


def _under(half: str, state: dict[str, Any]) -> dict[str, Any]:
    weights = state["model_state"]
    start = "module." if all(name.startswith("module.") for name in weights) else ""
    return {f"{half}.{name.removeprefix(start)}": value for name, value in weights.items()}
