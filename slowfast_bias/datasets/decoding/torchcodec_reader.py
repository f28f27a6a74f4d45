"""Video files with torchcodec, an option: `slowfast_bias[torchcodec]` and FFmpeg of the system.

PyAV says which frames there are, and torchcodec must agree. It does not say when a frame is
damaged, as `decoding.pyav_reader` does.
"""

from __future__ import annotations

import functools
import importlib
import io
from types import ModuleType
from typing import Any

import av
import numpy as np
import torch

from slowfast_bias.datasets.decoding import pyav_reader
from slowfast_bias.datasets.decoding.video_info import (
    Picks,
    Timeline,
    VideoError,
    VideoInfo,
    resolve,
    shrink,
    stacked,
)
from slowfast_bias.errors import MissingPackageError


def version() -> str:
    """Torchcodec's version."""
    return f"torchcodec {_torchcodec().__version__}"


def probe(path: str) -> VideoInfo:
    """What a video file is, as PyAV says it: both number the frames alike."""
    info = pyav_reader.probe(path)
    _decoder(path, info)
    return info


def read(path: str, picks: Picks, short_side: int = 0) -> torch.Tensor:
    """The wanted frames, uint8 (T, H, W, 3), as `slowfast_bias.datasets.decode.read_frames`."""
    timeline = pyav_reader.timeline(path)
    indices = resolve(path, picks, timeline)
    decoder = _decoder(path, timeline)
    try:
        found = decoder.get_frames_at(indices)
    except Exception as error:  # torchcodec raises RuntimeError and others
        raise VideoError(f"Expected frames {indices} of {path} to decode, but: {error}") from error
    _check_times(path, timeline, indices, found.pts_seconds.tolist())
    return stacked(path, [shrink(image, short_side) for image in found.data.numpy()])


def is_usable() -> bool:
    """Can torchcodec decode here?"""
    try:
        return bool(_torchcodec())
    except MissingPackageError:
        return False


@functools.cache
def _torchcodec() -> ModuleType:
    """The package, once it has decoded a video: it imports well where its FFmpeg is missing."""
    try:
        decoders = importlib.import_module("torchcodec.decoders")
        assert decoders.VideoDecoder(_smallest_video())[0].shape == (3, 32, 32)
        return importlib.import_module("torchcodec")
    except Exception as error:  # absent, built for another torch, or without FFmpeg
        raise MissingPackageError(
            f"Expected torchcodec to decode a video, but: {str(error).strip().splitlines()[0]}. "
            "`pip install slowfast_bias[torchcodec]` and FFmpeg of the system bring it; `pyav` "
            "needs neither."
        ) from error


def _smallest_video() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        container.mux([*stream.encode(black), *stream.encode()])
    return file.getvalue()


def _decoder(path: str, timeline: Timeline) -> Any:  # torchcodec.decoders.VideoDecoder
    _torchcodec()
    decoders = importlib.import_module("torchcodec.decoders")
    try:
        decoder = decoders.VideoDecoder(
            f"file:{path}", dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact"
        )
    except Exception as error:  # torchcodec raises RuntimeError, ValueError and others
        raise VideoError(
            f"Expected a video in {path}, but torchcodec cannot open it as one: {error}"
        ) from error
    if len(decoder) != timeline.frames:
        raise VideoError(
            f"Expected {timeline.frames} frames in {path}, but torchcodec counts {len(decoder)}. "
            "Read it with the decoder `pyav`."
        )
    return decoder


def _check_times(path: str, timeline: Timeline, indices: list[int], seconds: list[float]) -> None:
    """VideoError unless the frames that came are shown when the wanted ones are."""
    start = seconds[0] - timeline.times[indices[0]]
    for i, second in zip(indices, seconds, strict=True):
        if abs(second - start - timeline.times[i]) > 1e-3:
            raise VideoError(
                f"Expected frame {i} of {path} at {timeline.times[i]:.3f} s, but torchcodec gave "
                f"the frame at {second - start:.3f} s. Read it with the decoder `pyav`."
            )
