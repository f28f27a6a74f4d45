"""Video files with PyAV: the default decoder; exact, on one thread, and strict about damage."""

from __future__ import annotations

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from slowfast_bias.datasets.decoding.decode_exactly import Take, collect, in_order
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

_DECLARED = 0.02  # by so much the rate that a file declares may differ from that of its frames


def version() -> str:
    """PyAV's version and that of the decoders inside it."""
    codecs = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"pyav {av.__version__} (libavcodec {codecs})"


def timeline(path: str) -> Timeline:
    """The frames of a video file; none is decoded where there are time stamps."""
    with open_film(path) as film:
        return timeline_of(film)


def probe(path: str) -> VideoInfo:
    """What a video file is; its first frame is decoded for size and rotation."""
    with open_film(path) as film:
        width, height, turn = collect(film, {0}, _outline)[0]
        codec = film.stream.codec_context.name
        return VideoInfo(
            **vars(timeline_of(film)), width=width, height=height, rotation=turn, codec=codec
        )


def read(path: str, picks: Picks, short_side: int = 0) -> torch.Tensor:
    """The wanted frames, uint8 (T, H, W, 3), as `slowfast_bias.datasets.decode.read_frames`."""
    with open_film(path) as film:
        indices = resolve(path, picks, timeline_of(film))
        images = collect(film, set(indices), painter(short_side))
    return stacked(path, [images[i] for i in indices])


def timeline_of(film: Film) -> Timeline:
    """When the frames are shown; without time stamps they are decoded to be counted."""
    fps = float(film.stream.average_rate or film.stream.guessed_rate or 0)
    if not film.shown:
        _, frames = in_order(film, None, lambda frame: None)
        return Timeline(frames, fps, even_times(frames, fps))
    stamps = [film.stamps[position] for position in film.shown]
    unit, per = film.stream.time_base.as_integer_ratio()
    # whole numbers until the one division, which rounds as a fraction would and is ten times faster
    times = tuple((stamp - stamps[0]) * unit / per for stamp in stamps)
    seen = (len(times) - 1) / times[-1] if times[-1] > 0 else 0.0
    if seen and abs(fps - seen) > _DECLARED * seen:
        fps = seen
    return Timeline(len(times), fps, times)


def _outline(frame: av.VideoFrame) -> tuple[int, int, int]:
    """Width and height as displayed, and the rotation that makes them so."""
    turn = _turn(frame)
    width, height = (frame.width, frame.height)[:: -1 if turn % 180 else 1]
    return width, height, turn


def painter(short_side: int) -> Take[np.ndarray]:
    """A function: decoded frame -> upright uint8 (H, W, 3), shrunk at once."""
    reformatter = VideoReformatter()  # keeps FFmpeg's tables from frame to frame

    def paint(frame: av.VideoFrame) -> np.ndarray:
        image = reformatter.reformat(frame, format="rgb24").to_ndarray()
        return shrink(np.rot90(image, _turn(frame) // 90), short_side)

    return paint


def _turn(frame: av.VideoFrame) -> int:
    """Degrees counterclockwise to turn a frame upright, a multiple of 90 from 0 to 270."""
    return round(frame.rotation / 90) * 90 % 360
