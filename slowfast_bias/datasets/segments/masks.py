"""Masks: pictures in which what is not background is the object, in every form they come in.

Foreground is every pixel above 0: of an 8-bit or 16-bit picture its value, of a palette the number
of the colour, of several channels any of them. A second or fourth channel is transparency and says
nothing (frame 77 of DAVIS-2016's `bear` has one). Instances are merged.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from iopath.common.file_io import g_pathmgr
from PIL import Image, UnidentifiedImageError

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.errors import DataError

# Mode of Pillow -> number of channels that tell; OpenCV would read a palette's colours instead.
_TELLING = {"1": 1, "L": 1, "P": 1, "LA": 1, "RGB": 3, "RGBA": 3, "I": 1, "I;16": 1, "I;16B": 1}


def read_mask(path: str) -> np.ndarray:
    """Returns the mask in a file, uint8 (H, W): 1 inside; VideoError if it cannot be read."""
    picture = read_whole(path, "a mask")
    if picture.mode not in _TELLING:
        raise VideoError(
            f"Expected a mask of one of the modes {', '.join(_TELLING)} in {path}, but got "
            f"{picture.mode}. Save it as an 8-bit PNG."
        )
    values = np.asarray(picture)
    values = values if values.ndim == 2 else values[..., : _TELLING[picture.mode]].max(-1)
    return (values != 0).astype(np.uint8)


def check_objects(paths: Sequence[str], where: str) -> None:
    """Raises DataError if all masks of a list are empty; the first that is not ends the search."""
    if paths and all(map(_is_empty, paths)):
        raise DataError(
            f"Expected an object in some mask of {where}, but all {len(paths)} are empty, the "
            f"first of them {paths[0]}. Pixels above 0 are inside."
        )


def _is_empty(path: str) -> bool:
    try:
        return not read_mask(path).any()
    except VideoError:
        return False  # that is told when its frame is read


def read_whole(path: str, what: str) -> Image.Image:
    """Returns a picture whose pixels are there; VideoError says what was expected."""
    try:
        with g_pathmgr.open(path, "rb") as file:
            data = file.read()
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except UnidentifiedImageError as error:
        why = "it is no picture" if data else "the file is empty"
        raise VideoError(f"Expected {what} in {path}, but {why}.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise VideoError(f"Expected {what} in {path}, but it cannot be read: {error}.") from error
    return picture
