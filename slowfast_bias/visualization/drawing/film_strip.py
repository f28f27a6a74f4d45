"""Film strips: a clip as one small WebP file, its frames side by side from left to right.

A page in HTML plays it by moving it behind a window of one frame, and a figure shows its frames.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import torch
from iopath.common.file_io import g_pathmgr
from PIL import Image, UnidentifiedImageError

from slowfast_bias.results import ResultError

FRAMES = 8  # at most
LONGEST = 112  # of a frame's sides, in pixels; larger ones are made smaller
QUALITIES = (60, 45, 30, 15)  # of WebP: the first, or the first that is small enough
LARGEST = 12_000  # bytes: 200 strips shall fit in a page of 5 MB, also those of noisy styles


class Strip(NamedTuple):
    """A film strip.

    Attributes:
        webp: the content of the file.
        frames: how many frames it has.
        size: height and width of one of them, in pixels.
    """

    webp: bytes
    frames: int
    size: tuple[int, int]


def make_strip(clip: torch.Tensor, most: int = FRAMES, largest: int = LARGEST) -> Strip:
    """Returns the strip of a clip.

    Args:
        clip: (3, T, H, W) in [0, 1].
        most: frames.
        largest: bytes that it should have, if any of QUALITIES makes it so small.
    """
    shown = _small(clip[:, _spread(clip.shape[1], most)].transpose(0, 1).float())  # (F, 3, h, w)
    pixels = (255 * shown.clamp(0, 1)).round().byte().permute(2, 0, 3, 1)  # (h, F, w, 3)
    height, frames, width, _ = pixels.shape
    image = Image.fromarray(pixels.reshape(height, frames * width, 3).cpu().numpy())
    return Strip(_encoded(image, largest), frames, (height, width))


def read_strip(path: str, frames: int) -> list[np.ndarray]:
    """Returns the frames of a strip, uint8 (h, w, 3) each; ResultError if there are not as many."""
    try:
        with g_pathmgr.open(path, "rb") as file:
            pixels = np.asarray(Image.open(file).convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise ResultError(f"Expected a film strip in {path}, but: {error}.") from error
    if frames < 1 or pixels.shape[1] % frames:
        raise ResultError(
            f"Expected {frames} frames side by side in {path}, but it is {pixels.shape[1]} pixels "
            "wide."
        )
    return np.split(pixels, frames, axis=1)


def _encoded(image: Image.Image, largest: int) -> bytes:
    """Returns a picture as WebP of at most so many bytes, if any of QUALITIES makes it so small."""
    for quality in QUALITIES:
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality)
        if file.tell() <= largest:
            break
    return file.getvalue()


def _spread(frames: int, most: int) -> list[int]:
    """Returns the numbers of at most `most` frames, evenly spread."""
    count = min(frames, most)
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)]


def _small(frames: torch.Tensor) -> torch.Tensor:
    """Returns frames (F, 3, H, W) no larger than LONGEST."""
    height, width = frames.shape[2:]
    longest = max(height, width)
    if longest <= LONGEST:
        return frames
    size = [max(1, round(side * LONGEST / longest)) for side in (height, width)]
    return torch.nn.functional.interpolate(frames, size, mode="bilinear", antialias=True)
