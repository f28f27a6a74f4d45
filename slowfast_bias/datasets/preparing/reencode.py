"""Smaller copies of videos: the same frames at the same times, without sound, quick to seek in."""

from __future__ import annotations

import os
from fractions import Fraction

import av
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decode import VideoError, probe

_KEYFRAMES = 32  # frames from one to the next: seeking decodes half as many on average
_TIME_BASE = Fraction(1, 90000)


def reencode(path: str, target: str, short_side: int) -> None:
    """Writes an mp4 with the short side at ``short_side``, or as it is where it is smaller.

    The copy is proved to hold as many frames, and appears only when it is whole. VideoError where
    the video cannot be read.
    """
    info = probe(path)
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    temporary = f"{target}.{os.getpid()}.tmp.mp4"
    try:
        _copy(g_pathmgr.get_local_path(path), temporary, short_side, info.rotation)
        copied = probe(temporary)
        if copied.frames != info.frames:
            raise VideoError(
                f"Expected {info.frames} frames in the copy of {path}, but got {copied.frames}."
            )
        os.replace(temporary, target)
    except av.FFmpegError as error:
        raise VideoError(f"Expected to copy {path}, but FFmpeg says: {error}.") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def is_copy(path: str, target: str) -> bool:
    """Is the copy there, and younger than the video?"""
    return os.path.isfile(target) and os.path.getmtime(target) >= os.path.getmtime(path)


def _copy(path: str, target: str, short_side: int, rotation: int) -> None:
    with av.open(f"file:{path}") as source, av.open(target, "w") as out:
        film = source.streams.video[0]
        film.codec_context.thread_count = 1
        rate = film.average_rate or film.guessed_rate or Fraction(30)
        width, height = _size(film.width, film.height, short_side)
        stream = _stream(out, rate, width, height)
        if rotation:
            stream.set_display_rotation(rotation)
        first = None
        for number, frame in enumerate(source.decode(film)):
            small = frame.reformat(width, height, "yuv420p", interpolation="AREA")
            if frame.pts is None:
                small.pts, small.time_base = number, 1 / rate
            else:
                first = frame.pts if first is None else first
                seconds = (frame.pts - first) * film.time_base
                small.pts, small.time_base = round(seconds / _TIME_BASE), _TIME_BASE
            out.mux(stream.encode(small))
        out.mux(stream.encode())


def _stream(out: av.container.OutputContainer, rate: Fraction, width: int, height: int) -> object:
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    stream = out.add_stream(codec, rate=rate)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    quality = {"crf": "18", "preset": "veryfast"} if codec == "libx264" else {"qscale": "3"}
    stream.options = {"g": str(_KEYFRAMES), **quality}
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = _TIME_BASE if codec == "libx264" else 1 / rate
    return stream


def _size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Even numbers, as the codec asks for."""
    scale = min(1.0, short_side / min(width, height))
    return tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))
