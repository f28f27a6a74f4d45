"""Frames from a video file or a folder of pictures, by number, and never a different frame instead.

    info = probe("dance.mp4")                                # frames, fps, times, size, rotation
    clip = read_frames("dance.mp4", [0, 9, 9, 3])            # uint8 (4, H, W, 3)
    clip = read_frames("dance.mp4", lambda video: pick_frames(video.frames, video.fps, 8, 8))

A frame's number is its place in the order of display; time stamps may be uneven. One study should
use one backend: decoders round colours differently. Reports hold its `backend_version`.
"""

from __future__ import annotations

import os

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding import frame_folder, pyav_reader, torchcodec_reader
from slowfast_bias.datasets.decoding.frame_zip import is_zip
from slowfast_bias.datasets.decoding.timeline import Picks, Timeline, VideoError, VideoInfo

__all__ = [
    "Picks",
    "Timeline",
    "VideoError",
    "VideoInfo",
    "backend_version",
    "probe",
    "read_frames",
]

BACKENDS = {"pyav": pyav_reader, "torchcodec": torchcodec_reader}


def probe(
    path: str | os.PathLike[str], *, backend: str = "pyav", folder_fps: float = 30.0
) -> VideoInfo:
    """Returns the facts of a video; its first frame is decoded, the others are only counted.

    Args:
        path: a video file, or a folder of numbered pictures.
        backend: pyav or torchcodec; folders are always read with OpenCV.
        folder_fps: the frame rate of a folder of pictures, which does not hold one.
    """
    if is_folder(path):
        return frame_folder.probe(os.fspath(path), folder_fps)
    return _backend(backend).probe(_local(path))


def read_frames(
    path: str | os.PathLike[str],
    picks: Picks,
    *,
    short_side: int = 0,
    backend: str = "pyav",
    folder_fps: float = 30.0,
) -> torch.Tensor:
    """Returns the wanted frames, uint8 (T, H, W, 3) in RGB, upright; VideoError if one is damaged.

    Args:
        path: a video file, or a folder of numbered pictures.
        picks: frame numbers in any order, also repeated; or a function that gets the video's
            `Timeline` and returns them.
        short_side: shrinks the frames so that their short side has this many pixels; 0 keeps their
            size. Smaller frames are never enlarged. It smooths (`interpolate(mode="bilinear",
            antialias=True)`), while SlowFast drops pixels.
        backend: pyav or torchcodec; folders are always read with OpenCV.
        folder_fps: the frame rate of a folder of pictures, which does not hold one.
    """
    if is_folder(path):
        return frame_folder.read(os.fspath(path), picks, short_side, folder_fps)
    return _backend(backend).read(_local(path), picks, short_side)


def backend_version(backend: str = "pyav") -> str:
    """Returns the name and versions of a decoder, for reports."""
    return _backend(backend).version()


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Returns whether this is to be read as pictures: a folder, a zip of them, or one of them."""
    name = os.fspath(path)
    return g_pathmgr.isdir(name) or is_zip(name) or frame_folder.is_picture(name)


def _backend(name: str) -> object:
    if name not in BACKENDS:
        raise ValueError(f"Expected a decoder, one of {sorted(BACKENDS)}, but got {name!r}.")
    return BACKENDS[name]


def _local(path: str | os.PathLike[str]) -> str:
    """Returns the path on this machine of a plain file that is not empty; VideoError otherwise."""
    name = os.fspath(path)
    try:
        local = g_pathmgr.get_local_path(name)
    except Exception as error:  # each handler of iopath raises its own
        raise VideoError(
            f"Expected a video at {name}, but it cannot be fetched: {error}"
        ) from error
    if not os.path.exists(local):
        raise VideoError(f"Expected a video at {name}, but there is no such file.")
    if not os.path.isfile(local):  # reading from a pipe would wait forever
        raise VideoError(f"Expected a video file at {name}, but it is not a plain file.")
    if not os.path.getsize(local):
        raise VideoError(f"Expected a video at {name}, but the file is empty (0 bytes).")
    return local
