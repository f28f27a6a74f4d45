"""Folders of numbered pictures: img_00001.jpg, frame_00001.jpg, 000001.png; and zips of them.

A single picture is a video of one frame. Only the wanted files are opened. Numbers may start
anywhere; a missing one is an error, because every frame after it would get a wrong number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.frame_zip import is_zip, list_names, read_member
from slowfast_bias.datasets.decoding.timeline import (
    Picks,
    Timeline,
    VideoError,
    VideoInfo,
    even_times,
    resolve,
    shrink,
    stacked,
)

# Prefixes of frames if a folder holds more than one series, such as flow_x_00001.jpg.
FRAME_PREFIXES = ("", "img_", "image_", "frame_", "img", "image", "frame")
_NUMBERED = re.compile(r"(.*?)(\d+)\.(jpg|jpeg|png)", re.IGNORECASE)


@dataclass(frozen=True)
class Series:
    """The frames of a folder: file names in the order of their numbers."""

    folder: str
    names: tuple[str, ...]

    def timeline(self, fps: float) -> Timeline:
        """Returns when the frames are shown at a rate."""
        return Timeline(len(self.names), fps, even_times(len(self.names), fps))

    def picture(self, index: int) -> np.ndarray:
        """Returns a frame, uint8 (H, W, 3) in RGB; VideoError if it is missing or not whole."""
        path = f"{self.folder}/{self.names[index]}"
        try:
            data = self._content(self.names[index])
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        except (OSError, cv2.error) as error:  # OpenCV: a header that announces too many pixels
            raise VideoError(
                f"Expected a picture in {path}, but it cannot be read: {str(error).strip()}"
            ) from error
        if image is None or not _is_whole(data):
            raise VideoError(
                f"Expected a picture in {path}, but its {len(data)} bytes are not a whole one."
            )
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def _content(self, name: str) -> bytes:
        if is_zip(self.folder):
            return read_member(self.folder, name)
        path = f"{self.folder}/{name}"
        if not g_pathmgr.isfile(path):  # reading from a pipe would wait forever
            raise VideoError(f"Expected a picture in {path}, but it is no file, or a broken link.")
        with g_pathmgr.open(path, "rb") as file:
            return file.read()


def is_picture(path: str) -> bool:
    """Returns whether this is the file of a picture."""
    return path.lower().endswith((".jpg", ".jpeg", ".png")) and g_pathmgr.isfile(path)


def probe(folder: str, fps: float) -> VideoInfo:
    """Returns the facts of a folder of pictures; the first one is opened for its size."""
    series = list_frames(folder)
    height, width = series.picture(0).shape[:2]
    kind = series.names[0].rpartition(".")[2].lower()
    codec = "png" if kind == "png" else "jpeg"
    return VideoInfo(
        **vars(series.timeline(fps)), width=width, height=height, rotation=0, codec=codec
    )


def read(folder: str, picks: Picks, short_side: int, fps: float) -> torch.Tensor:
    """Returns the wanted frames, uint8 (T, H, W, 3), as `read_frames.read_frames`."""
    series = list_frames(folder)
    indices = resolve(folder, picks, series.timeline(fps))
    pictures = {i: shrink(series.picture(i), short_side) for i in set(indices)}
    return stacked(folder, [pictures[i] for i in indices])


def list_frames(folder: str) -> Series:
    """Returns a folder's frames in the order of their numbers; VideoError if one is missing."""
    if is_picture(folder):
        above, _, name = folder.rpartition("/")
        return Series(above or ".", (name,))
    try:
        names = list_names(folder) if is_zip(folder) else g_pathmgr.ls(folder)
    except OSError as error:
        raise VideoError(f"Expected a folder of pictures at {folder}, but: {error}.") from error
    series: dict[str, dict[int, str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if not match or name.startswith("."):
            continue
        numbers = series.setdefault(match[1], {})
        if int(match[2]) in numbers:
            raise VideoError(
                f"Expected one picture of each number in {folder}, but both "
                f"{numbers[int(match[2])]} and {name} are there."
            )
        numbers[int(match[2])] = name
    numbers = series[_prefix(folder, list(series))]
    ordered = sorted(numbers)
    for before, after in zip(ordered, ordered[1:], strict=False):
        if after != before + 1:
            raise VideoError(
                f"Expected a picture of each number from {ordered[0]} to {ordered[-1]} in "
                f"{folder}, but {_neighbour(numbers[before])} is missing."
            )
    return Series(folder, tuple(numbers[number] for number in ordered))


def _prefix(folder: str, prefixes: list[str]) -> str:
    if not prefixes:
        raise VideoError(
            f"Expected numbered pictures such as img_00001.jpg in {folder}, but there are none."
        )
    known = [prefix for prefix in prefixes if prefix.lower() in FRAME_PREFIXES]
    choice = known if len(prefixes) > 1 else prefixes
    if len(choice) != 1:
        raise VideoError(
            f"Expected one series of pictures in {folder}, but their names start with "
            f"{', '.join(map(repr, sorted(prefixes)))}. Keep one in the folder."
        )
    return choice[0]


def _neighbour(name: str) -> str:
    """Returns the name that follows a numbered name."""
    prefix, number, kind = _NUMBERED.fullmatch(name).groups()
    return f"{prefix}{int(number) + 1:0{len(number)}d}.{kind}"


def _is_whole(data: bytes) -> bool:
    """Returns whether the end mark is there; OpenCV silently paints a missing part grey."""
    if data.startswith(b"\xff\xd8"):
        return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    return b"IEND" in data[-64:] if data.startswith(b"\x89PNG") else True
