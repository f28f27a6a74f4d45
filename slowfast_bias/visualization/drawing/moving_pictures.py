"""Moving pictures: frames as an animated GIF or WebP, or as an MP4.

A GIF or WebP has the same bytes each time; an MP4 may not, as encoders do not promise it.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from slowfast_bias.errors import RequestError
from slowfast_bias.files import write_whole

_LOOP = 2.0  # seconds that a clip takes, if its rate can be chosen so
_SLOWEST, _FASTEST = 4.0, 25.0  # frames per second
_LASTS = 6.0  # seconds of an MP4, which players do not repeat by themselves
_MOST = 24  # frames of a GIF, which has no compression over time to speak of
_CODECS = ("libx264", "mpeg4")  # the first that is there


def rate_of(frames: int) -> float:
    """Returns the frames per second at which a clip of so many frames is shown."""
    return min(max(frames / _LOOP, _SLOWEST), _FASTEST)


def save_moving(frames: Sequence[np.ndarray], path: str, rate: float | None = None) -> None:
    """Writes frames, uint8 (H, W, 3) of one size, to a .gif, .webp or .mp4 file.

    Args:
        frames: in their order.
        path: where.
        rate: frames per second; that of `rate_of` if not given.
    """
    encode = _ENCODERS[check_moving(path)]
    content = encode(frames, rate or rate_of(len(frames)))
    with write_whole(path, "wb") as file:
        file.write(content)


def is_moving(path: str) -> bool:
    """Returns whether a path is one of moving pictures, by its suffix."""
    return os.path.splitext(path)[1].lower() in _ENCODERS


def check_moving(path: str) -> str:
    """Returns the suffix of `path`; RequestError if it is not one of moving pictures."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _ENCODERS:
        raise RequestError(
            f"Expected a file that ends in {', '.join(_ENCODERS)}, but got {path!r}."
        )
    return suffix


def _gif(frames: Sequence[np.ndarray], rate: float) -> bytes:
    """Returns a GIF in one palette of all frames, so that what rests does not flicker."""
    stride = math.ceil(len(frames) / _MOST)
    kept = [np.asarray(frame) for frame in frames[::stride]]
    palette = Image.fromarray(np.concatenate(kept, 0)[::2, ::2]).quantize(256, dither=0)
    pictures = [Image.fromarray(x).quantize(palette=palette, dither=0) for x in kept]
    return _saved(pictures, "GIF", rate / stride, disposal=1)


def _webp(frames: Sequence[np.ndarray], rate: float) -> bytes:
    return _saved([Image.fromarray(frame) for frame in frames], "WEBP", rate, quality=80, method=4)


def _saved(pictures: Sequence[Image.Image], kind: str, rate: float, **options: int) -> bytes:
    file = io.BytesIO()
    first, *others = pictures
    duration = round(1000 / rate)
    first.save(
        file, kind, save_all=True, append_images=others, duration=duration, loop=0, **options
    )
    return file.getvalue()


def _mp4(frames: Sequence[np.ndarray], rate: float) -> bytes:
    """Returns an MP4 that shows the clip as often as fits into some seconds."""
    import av

    height, width = (side + side % 2 for side in frames[0].shape[:2])  # the codec needs even ones
    codec = next(name for name in _CODECS if name in av.codecs_available)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=round(rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"crf": "18"}
        for _ in range(max(1, round(_LASTS * rate / len(frames)))):
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(_even(frame), format="rgb24")
                container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file.getvalue()


def _even(frame: np.ndarray) -> np.ndarray:
    """Returns a frame of even sides; the last row or column stands twice if it must."""
    sides = [(0, side % 2) for side in frame.shape[:2]]
    return np.ascontiguousarray(np.pad(frame, (*sides, (0, 0)), mode="edge"))


_ENCODERS: dict[str, Callable[[Sequence[np.ndarray], float], bytes]] = {
    ".gif": _gif,
    ".webp": _webp,
    ".mp4": _mp4,
}
