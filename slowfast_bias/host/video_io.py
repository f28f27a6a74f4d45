"""Two in-memory video functions, on PyAV, that GitHub main calls and torchvision no longer has.

`slowfast/datasets/decoder.py` reads `torchvision.io._probe_video_from_memory` and
`_read_video_from_memory`; torchvision 0.26 has neither. Same arguments and results.
"""

from __future__ import annotations

import io
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import torch


def probe(video: torch.Tensor) -> SimpleNamespace:
    """Returns the container header's facts about a file held as a uint8 tensor (bytes,)."""
    with av.open(io.BytesIO(video.numpy().tobytes())) as container:
        if not container.streams.video:
            raise ValueError("Expected a video stream in the file, but it has none.")
        stream = container.streams.video[0]
        duration = stream.duration * stream.time_base if stream.duration else 0
        if not duration and container.duration:
            duration = Fraction(container.duration, av.time_base)
        return SimpleNamespace(
            has_video=True,
            video_timebase=stream.time_base,
            video_duration=float(duration),
            video_fps=float(stream.average_rate or 0),
            # sound is never read: the host only copies these into its cache
            has_audio=False,
            audio_timebase=Fraction(0, 1),
            audio_duration=0.0,
            audio_sample_rate=0.0,
        )


def read(
    video: torch.Tensor,
    video_min_dimension: int = 0,
    video_pts_range: tuple[int, int] = (0, -1),
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Returns frames (T, H, W, 3) with time stamps in the range (end -1: to the end), and no sound.

    `video_min_dimension` is the wanted short side; 0 keeps the size. If no frame is in the range,
    the tensor is empty, which the host treats as a failed decoding.
    """
    start, end = video_pts_range
    frames = []
    with av.open(io.BytesIO(video.numpy().tobytes())) as container:
        stream = container.streams.video[0]
        width, height = _size(stream.width, stream.height, video_min_dimension)
        if start > 0:
            container.seek(start, stream=stream, backward=True)
        for frame in container.decode(stream):
            if frame.pts is not None and frame.pts < start:
                continue
            if end >= 0 and frame.pts is not None and frame.pts > end:
                break
            pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
            frames.append(torch.from_numpy(pixels))
    return (torch.stack(frames) if frames else torch.zeros(0, dtype=torch.uint8)), None


def _size(width: int, height: int, short_side: int) -> tuple[int, int]:
    if short_side <= 0:
        return width, height
    scale = short_side / min(width, height)
    return round(width * scale), round(height * scale)
