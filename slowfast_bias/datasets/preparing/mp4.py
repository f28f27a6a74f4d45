"""Writes an mp4 frame by frame: H.264, with colours in BT.601 and limited range, and tags of it."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import IO

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

_KEYFRAMES = 32  # frames from one to the next: seeking decodes half as many on average
_MPEG4_TIME_BASE = Fraction(1, 60000)  # the codec has no finer one
_BT601 = 6  # FFmpeg's number of BT.601's matrix, SMPTE 170M


class Noted:
    """A file that FFmpeg writes, and the disk's first error: FFmpeg does not always report it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None
        self.seek, self.tell, self.truncate = file.seek, file.tell, file.truncate

    def write(self, data: bytes) -> int:
        """Writes to the file; keeps the first error."""
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = self.error or error
            raise


class Encoder:
    """An mp4 that is being written."""

    def __init__(
        self,
        file: Noted,
        size: tuple[int, int],
        rate: Fraction,
        time_base: Fraction,
        like: av.VideoFrame,
        comment: str,
    ) -> None:
        self.size = size
        self.out = av.open(file, "w", format="mp4")
        self.out.metadata["comment"] = comment
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self.stream = self.out.add_stream(codec, rate=rate)
        self.stream.width, self.stream.height, self.stream.pix_fmt = *size, "yuv420p"
        quality = {"crf": "18", "preset": "veryfast"} if codec == "libx264" else {"qscale": "3"}
        self.stream.options = {"g": str(_KEYFRAMES), **quality}
        context = self.stream.codec_context
        context.thread_count = 1
        context.color_range, context.colorspace = ColorRange.MPEG, _BT601
        # not converted by the reader: the copy's are those of the video
        context.color_primaries, context.color_trc = like.color_primaries, like.color_trc
        self.unit = time_base
        if codec == "mpeg4" and time_base.denominator > _MPEG4_TIME_BASE.denominator:
            self.unit = _MPEG4_TIME_BASE
        self.scale = time_base / self.unit
        self.stream.time_base = context.time_base = self.unit
        self.reformatter = VideoReformatter()
        self.last = -1

    def add(self, image: np.ndarray, time: int, duration: int) -> None:
        """Encodes a picture (H, W, 3) in RGB."""
        image = np.minimum(image, 254) + 1  # FFmpeg's conversion back to RGB rounds it down again
        small = self.reformatter.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            interpolation="AREA",
        )
        self.last = max(round(time * self.scale), self.last + 1)
        small.pts, small.time_base = self.last, self.unit
        small.duration = max(round(duration * self.scale), 1)
        self.out.mux(self.stream.encode(small))

    def close(self) -> None:
        """Writes what is left."""
        self.out.mux(self.stream.encode())
        self.out.close()

    def discard(self) -> None:
        """Closes the file if it is open, even if it is not complete."""
        with contextlib.suppress(av.FFmpegError, OSError):
            self.out.close()
