"""The clips that were made for a unit, from the arrays that a run of maximisation leaves."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.results import ResultError

AGAIN = "the file was changed, or cut short. Run `slowfast_bias maximise` again."


class Clips(NamedTuple):
    """The clips of a unit.

    Attributes:
        rgb: made for it, uint8 [speed, seed, T, H, W, 3].
        flow: the same of its flow, in pixels to the right and down, [speed, seed, T, H, W, 2].
        natural: those of the data that drive it most, uint8 [clip, T, H, W, 3].
    """

    rgb: np.ndarray
    flow: np.ndarray | None
    natural: np.ndarray | None


def read_clips(path: str, speeds: int, seeds: int) -> Clips:
    """Returns the clips in an npz file; ResultError if there are not as many, or of no shape."""
    arrays = _read_arrays(path)
    if "rgb" not in arrays:
        raise ResultError(f"Expected `rgb` in {path}: {AGAIN}")
    _check(path, arrays, "rgb", (speeds, seeds, None, None, None, 3))
    _check(path, arrays, "flow", (speeds, seeds, None, None, None, 2))
    _check(path, arrays, "natural", (None, None, None, None, 3))
    natural = arrays.get("natural")
    some = natural is not None and len(natural) > 0
    return Clips(arrays["rgb"], arrays.get("flow"), natural if some else None)


def _read_arrays(path: str) -> dict[str, np.ndarray]:
    try:
        with g_pathmgr.open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(f"Expected the clips of a unit in {path}, but: {error}.") from error


def _check(
    path: str, arrays: Mapping[str, np.ndarray], name: str, shape: Sequence[int | None]
) -> None:
    """Raises ResultError if an array that is there has another shape, or is not of its kind."""
    array = arrays.get(name)
    if array is None:
        return
    right = array.dtype.kind == "f" if name == "flow" else array.dtype == np.uint8
    right = right and array.ndim == len(shape) and (name == "natural" or array.size > 0)
    if right and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        return
    wanted = " x ".join("n" if n is None else str(n) for n in shape)
    got = " x ".join(map(str, array.shape))
    raise ResultError(
        f"Expected `{name}` of {path} to be {wanted}, but got {got} of {array.dtype}: {AGAIN}"
    )
