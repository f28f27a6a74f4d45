"""Video files with PyAV: the default decoder; exact, on one thread, and strict about damage."""

from __future__ import annotations

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from slowfast_bias.datasets.decoding.exact_decoding import Take, collect, in_order
from slowfast_bias.datasets.decoding.packet_index import Film, open_film
from slowfast_bias.datasets.decoding.timeline import (
    Picks,
    Timeline,
    VideoInfo,
    even_times,
    resolve,
    shrink,
    stacked,
)

_DECLARED = 0.02  # largest relative difference of a file's declared rate from that of its frames


def version() -> str:
    """Returns PyAV's version and that of the decoders inside it."""
    codecs = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"pyav {av.__version__} (libavcodec {codecs})"


def timeline(path: str) -> Timeline:
    """Returns the timeline of a video file; if it has time stamps, no frame is decoded."""
    with open_film(path) as film:
        return timeline_of(film)


def probe(path: str) -> VideoInfo:
    """Returns the facts of a video file; its first frame is decoded for size and rotation."""
    with open_film(path) as film:
        width, height, turn = collect(film, {0}, _outline)[0]
        codec = film.stream.codec_context.name
        return VideoInfo(
            **vars(timeline_of(film)), width=width, height=height, rotation=turn, codec=codec
        )


def read(path: str, picks: Picks, short_side: int = 0) -> torch.Tensor:
    """Returns the wanted frames, uint8 (T, H, W, 3), as `read_frames.read_frames`."""
    with open_film(path) as film:
        indices = resolve(path, picks, timeline_of(film))
        images = collect(film, set(indices), painter(short_side))
    return stacked(path, [images[i] for i in indices])


def timeline_of(film: Film) -> Timeline:
    """Returns when the frames are shown; without time stamps they are decoded to be counted."""
    fps = float(film.stream.average_rate or film.stream.guessed_rate or 0)
    if not film.shown:
        _, frames = in_order(film, None, lambda frame: None)
        return Timeline(frames, fps, even_times(frames, fps))
    stamps = [film.stamps[position] for position in film.shown]
    unit, per = film.stream.time_base.as_integer_ratio()
    # integers until the one division: rounds as exact fractions do, and is ten times faster
    times = tuple((stamp - stamps[0]) * unit / per for stamp in stamps)
    seen = (len(times) - 1) / times[-1] if times[-1] > 0 else 0.0
    if seen and abs(fps - seen) > _DECLARED * seen:
        fps = seen
    return Timeline(len(times), fps, times)


def _outline(frame: av.VideoFrame) -> tuple[int, int, int]:
    """Returns width and height as displayed, and the rotation that was applied for them."""
    turn = _turn(frame)
    width, height = (frame.width, frame.height)[:: -1 if turn % 180 else 1]
    return width, height, turn


def painter(short_side: int) -> Take[np.ndarray]:
    """Returns a function: decoded frame -> upright uint8 (H, W, 3), shrunk at once."""
    reformatter = VideoReformatter()  # keeps FFmpeg's tables from frame to frame

    def paint(frame: av.VideoFrame) -> np.ndarray:
        image = reformatter.reformat(frame, format="rgb24").to_ndarray()
        return shrink(np.rot90(image, _turn(frame) // 90), short_side)

    return paint


def _turn(frame: av.VideoFrame) -> int:
    """Returns the degrees counterclockwise that turn a frame upright: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) * 90 % 360
