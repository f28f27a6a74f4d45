"""Writes one video in all styles, whole or not at all, and the settings of their folder.

Frames are written into a hidden folder, which gets the video's name when they are all there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np

from slowfast_bias.datasets.decoding.read_frames import (
    VideoError,
    backend_version,
    probe,
    read_frames,
)
from slowfast_bias.datasets.styles.aligned_frames import ABOUT
from slowfast_bias.datasets.styles.folders import SETTINGS
from slowfast_bias.engine.styling.stylers import Recipe, fingerprints, make_styler
from slowfast_bias.errors import OutputError
from slowfast_bias.files import alone_in as alone_in
from slowfast_bias.files import write_whole

UNFINISHED = ".part"  # in the folder of a style: frames of videos that are being written
_PIXELS = 2**25  # of source frames held at a time


@dataclass(frozen=True)
class Options:
    """How frames are written.

    Attributes:
        recipe: the styles.
        every: n, to write every n-th frame of a video.
        short_side: of the frames, in pixels; smaller ones are not enlarged; 0 keeps their size.
        png: writes PNG files, which are exact; otherwise JPEG.
        quality: of JPEG files, 1 to 100.
        backend: the decoder.
        folder_fps: the rate of videos that are folders of pictures.
    """

    recipe: Recipe = field(default_factory=Recipe)
    every: int = 1
    short_side: int = 0
    png: bool = False
    quality: int = 95
    backend: str = "pyav"
    folder_fps: float = 30.0


def write_video(named: tuple[str, str], folders: Sequence[str], options: Options) -> str:
    """Writes a video in all styles; returns what is wrong with it, "" if nothing is.

    OutputError if it cannot be written.

    Args:
        named: its name, which is that of its folders, and its path.
        folders: those of the styles.
        options: how frames are written.
    """
    name, path = named
    key = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()  # short for any name
    parts = [f"{folder}/{UNFINISHED}/{key}" for folder in folders]
    try:
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(part)
        _write_frames(path, parts, options)
        for part, folder in zip(parts, folders, strict=True):
            if not os.path.isfile(f"{folder}/{name}/{ABOUT}"):  # there if a call stopped here
                os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
                os.rename(part, f"{folder}/{name}")
    except VideoError as error:
        return str(error)
    except OSError as error:
        raise OutputError(
            f"Expected to write {name} into {os.path.dirname(folders[0])}, but: {error}. What is "
            "whole stays there; started again, it goes on."
        ) from error
    finally:
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)
    return ""


def save_settings(out: str, options: Options) -> None:
    """Saves the settings of the frames; OutputError if those of an earlier call differ."""
    path = f"{out}/{SETTINGS}"
    how = {key: value for key, value in asdict(options).items() if key != "recipe"}
    styles = {**options.recipe.about(), **fingerprints(options.recipe)}
    how = {"styles": styles, **how, "decoder": backend_version(options.backend)}
    if os.path.exists(path):
        before = _read_settings(path)
        other = [key for key in how if _compared(before, key) != _compared(how, key)]
        if other:
            now = ", ".join(f"{key} {how[key]} (there: {before.get(key)})" for key in other)
            raise OutputError(
                f"Expected the settings with which {out} was begun, but got {now}. Give another "
                "folder, or delete this one."
            )
        return
    try:
        with write_whole(path) as file:
            json.dump(how, file, indent=1)
    except OSError as error:
        raise OutputError(f"Expected to write into {out}, but: {error}.") from error


def _read_settings(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (ValueError, TypeError) as error:
        raise OutputError(
            f"Expected the settings of an earlier call in {path}, but they cannot be read: "
            f"{error}. Give another folder, or delete this one."
        ) from error


def _compared(settings: dict[str, object], key: str) -> object:
    """Returns a setting without what may change: the decoder's version, a checkpoint's path."""
    value = None if key == "decoder" else settings.get(key)
    if isinstance(value, dict) and "weights" in value:
        return {k: v for k, v in value.items() if k != "generators"}
    return value


def _write_frames(path: str, parts: Sequence[str], options: Options) -> None:
    style = make_styler(options.recipe)
    source = {"backend": options.backend, "folder_fps": options.folder_fps}
    info = probe(path, **source)
    numbers = range(0, info.frames, options.every)
    short = min(info.width, info.height)
    scale = min(options.short_side / short, 1) if options.short_side else 1
    step = max(8, int(_PIXELS / (info.width * info.height * scale**2)))
    size = None
    for first in range(0, len(numbers), step):
        picks = numbers[first : first + step]
        try:
            frames = read_frames(path, picks, short_side=options.short_side, **source)
        except OSError as error:  # of reading, not of writing
            raise VideoError(f"Expected to read {path}, but: {error}.") from error
        if size not in (None, frames.shape[1:3]):
            raise VideoError(
                f"Expected frames of one size in {path}, but from frame {picks[0]} on they are "
                f"{frames.shape[2]}x{frames.shape[1]} px instead of {size[1]}x{size[0]}."
            )
        size = frames.shape[1:3]
        for k, part in enumerate(parts):
            for number, frame in enumerate(style(k, frames).numpy(), first + 1):
                write_picture(f"{part}/frame_{number:05d}", frame, options)
    source = path if "://" in path else os.path.abspath(path)
    about = {"source": source, "fps": info.fps / options.every, "every": options.every}
    for part in parts:
        with write_whole(f"{part}/{ABOUT}") as file:
            json.dump(about, file)


def write_picture(stem: str, frame: np.ndarray, options: Options) -> None:
    """Writes a frame as `stem`.png or .jpg, whichever the options say."""
    kind, how = ".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if not options.png:  # colours at full resolution, because styles are mainly colours
        full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        kind, how = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, options.quality, *full]
    try:
        _, data = cv2.imencode(kind, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), how)
    except cv2.error as error:  # JPEG has no more than 65500 pixels a side
        raise VideoError(
            f"Expected frames that fit into a {kind} file, but they are {frame.shape[1]}x"
            f"{frame.shape[0]} px. A --short-side makes them smaller."
        ) from error
    with open(f"{stem}{kind}", "wb") as file:  # unlike cv2.imwrite, raises if the disk is full
        file.write(data.tobytes())
