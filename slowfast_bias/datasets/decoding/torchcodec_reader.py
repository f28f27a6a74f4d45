"""Video files with torchcodec, an option: `slowfast_bias[torchcodec]` and the system's FFmpeg.

PyAV reads which frames there are and when they are shown, and torchcodec must agree, or it is an
error. Unlike `decoding.pyav_reader` it does not report damage: a frame that cannot be decoded
cleanly may come as a wrong picture. `slowfast_bias check` finds such files beforehand.
"""

from __future__ import annotations

import functools
import importlib
import io
from types import ModuleType
from typing import Any, NamedTuple

import av
import numpy as np
import torch

from slowfast_bias.datasets.decoding import pyav_reader
from slowfast_bias.datasets.decoding.packet_index import open_film
from slowfast_bias.datasets.decoding.timeline import (
    Picks,
    Timeline,
    VideoError,
    VideoInfo,
    resolve,
    shrink,
    stacked,
)
from slowfast_bias.errors import MissingPackageError

# If it starts in the middle of these, torchcodec shows frames late, or partly grey.
_NO_INDEX = ("mpegts", "mpeg", "mpegvideo", "h264", "hevc", "m4v", "av1", "obu")
_LATE = 1e-4  # seconds by which times may differ: less than a frame lasts, more than rounding


class Listed(NamedTuple):
    """What PyAV reads from a file."""

    timeline: Timeline
    start: float  # seconds on the file's own clock at which the first frame is shown
    stream: int  # the number of its video stream: torchcodec might choose another one


def version() -> str:
    """Returns torchcodec's version, and that of the system's decoders that it uses."""
    package = torchcodec_module()
    try:
        core = importlib.import_module("torchcodec._core")
        codecs = ".".join(map(str, core.get_ffmpeg_library_versions()["libavcodec"]))
    except (ImportError, AttributeError, KeyError, TypeError):  # there is no public name for it
        codecs = "of unknown version"
    return f"torchcodec {package.__version__} (libavcodec {codecs})"


def probe(path: str) -> VideoInfo:
    """Returns the facts of a video file, from PyAV: both number the frames in the same way."""
    torchcodec_module()
    info = pyav_reader.probe(path)
    _decoder(path, listed_frames(path))
    return info


def read(path: str, picks: Picks, short_side: int = 0) -> torch.Tensor:
    """Returns the wanted frames, uint8 (T, H, W, 3), as `read_frames.read_frames`."""
    torchcodec_module()  # if it is missing, that is not an error of the file
    listed = listed_frames(path)
    indices = resolve(path, picks, listed.timeline)
    decoder = _decoder(path, listed)
    try:
        found = decoder.get_frames_at(indices)
    except Exception as error:  # torchcodec raises RuntimeError and others
        raise VideoError(
            f"Expected frames {min(indices)} to {max(indices)} of {path} to decode, but torchcodec "
            f"reports: {_first_line(error)} `pyav` may read it, or name the damage."
        ) from error
    _check_times(path, listed, indices, found.pts_seconds.tolist())
    return stacked(path, [shrink(image, short_side) for image in found.data.numpy()])


def is_usable() -> bool:
    """Returns whether torchcodec can decode here."""
    try:
        return bool(torchcodec_module())
    except MissingPackageError:
        return False


@functools.cache
def torchcodec_module() -> ModuleType:
    """Returns the package after it has decoded a video: FFmpeg may be missing."""
    try:
        decoders = importlib.import_module("torchcodec.decoders")
        shape = tuple(decoders.VideoDecoder(_smallest_video())[0].shape)
        if shape != (3, 32, 32):
            raise RuntimeError(f"of a video of 32x32 px it makes {shape}")
        return importlib.import_module("torchcodec")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"Expected torchcodec, but it is not installed ({error}). `pip install torchcodec`, "
            "and the system's FFmpeg are needed; `pyav` needs neither."
        ) from error
    except Exception as error:  # built for another torch, or without FFmpeg
        raise MissingPackageError(
            f"Expected torchcodec to decode a video, but it does not work here: "
            f"{_first_line(error).removesuffix(' Likely causes:')} It needs FFmpeg's libraries in "
            "the system (`apt install ffmpeg`) and the PyTorch that it was built for; `pyav` needs "
            "neither."
        ) from error


def _smallest_video() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        container.mux([*stream.encode(black), *stream.encode()])
    return file.getvalue()


def listed_frames(path: str) -> Listed:
    """Returns the frames that the file lists, of the version that now stands there."""
    with open_film(path) as film:
        kind = film.stream.container.format.name
        if kind in _NO_INDEX or not film.shown:
            raise VideoError(
                f"Expected an index and time stamps in {path}, without which torchcodec returns "
                f"wrong frames, but it is {kind}{'' if film.shown else ' without time stamps'}. "
                "Read it with the decoder `pyav`."
            )
        start = float(film.stamps[film.shown[0]] * film.stream.time_base)
        return Listed(pyav_reader.timeline_of(film), start, film.stream.index)


def _decoder(path: str, listed: Listed) -> Any:  # torchcodec.decoders.VideoDecoder
    decoders = importlib.import_module("torchcodec.decoders")
    try:
        decoder = decoders.VideoDecoder(
            f"file:{path}",
            stream_index=listed.stream,
            dimension_order="NHWC",
            num_ffmpeg_threads=1,
            seek_mode="exact",
        )
        start = float(decoder.metadata.begin_stream_seconds_from_content)
    except Exception as error:  # torchcodec raises RuntimeError, ValueError and others
        raise VideoError(
            f"Expected a video in {path}, but torchcodec cannot open it as one: "
            f"{_first_line(error)} `pyav` may read it, or name the damage."
        ) from error
    if len(decoder) != listed.timeline.frames or abs(start - listed.start) > _LATE:
        raise VideoError(
            f"Expected {listed.timeline.frames} frames in {path} from {listed.start:.3f} s on, but "
            f"torchcodec counts {len(decoder)} from {start:.3f} s on. Read it with the decoder "
            "`pyav`."
        )
    return decoder


def _check_times(path: str, listed: Listed, indices: list[int], seconds: list[float]) -> None:
    """Raises VideoError unless the frames that came have the times of the wanted ones."""
    for i, second in zip(indices, seconds, strict=True):
        wanted = listed.start + listed.timeline.times[i]
        if abs(second - wanted) > _LATE:
            raise VideoError(
                f"Expected frame {i} of {path} at {wanted:.3f} s, but torchcodec returned the one "
                f"at {second:.3f} s. Read it with the decoder `pyav`."
            )


def _first_line(error: Exception) -> str:
    """Returns the first line of an error, as a sentence; torchcodec adds pages of traces."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return line if line.endswith((".", ":")) else f"{line}."
