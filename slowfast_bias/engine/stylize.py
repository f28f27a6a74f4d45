"""Writes styled folders: OUT/style_0/VIDEO/frame_00001.jpg and so on, for every style.

A video's folder gets its name when all its frames are there, so that a run that was stopped is
taken up where it was. What cannot be read is listed in OUT/bad.csv. OUT/stylize.json says how the
frames were made, and a run with other settings is refused.
"""

from __future__ import annotations

import csv
import json
import logging
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import cv2
import torch

from slowfast_bias.datasets.decode import VideoError, backend_version, probe, read_frames
from slowfast_bias.datasets.lists.video_names import is_picture
from slowfast_bias.datasets.styled_folders import ABOUT, find_videos, without_ending
from slowfast_bias.engine.log import progress
from slowfast_bias.engine.stylers import Recipe, Styler, make_styler
from slowfast_bias.errors import DataError, OutputError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)

_PIXELS = 2**25  # of source frames held at a time


@dataclass(frozen=True)
class Options:
    """How frames are written.

    Attributes:
        recipe: the styles.
        every: each n-th frame of a video.
        short_side: of the frames, in pixels; smaller ones are not enlarged; 0: as they are.
        png: PNG files, exact; else JPEG.
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


class Outcome(NamedTuple):
    """What became of the videos, by name."""

    written: list[str]
    skipped: list[str]  # all there from before
    failed: dict[str, str]  # with the reason


def stylize(
    sources: Sequence[str],
    out: str,
    options: Options = Options(),
    workers: int = 0,  # noqa: B008
) -> Outcome:
    """Writes every video below ``sources`` in every style into ``out``.

    Args:
        sources: videos, and folders in which all videos are taken.
        out: a local folder, made where it is not there.
        options: what is written.
        workers: processes; 0: this one alone.
    """
    videos = collect(sources)
    make_styler(options.recipe)  # what is wrong with it is said before any work
    folders = [f"{out.rstrip('/')}/style_{k}" for k in range(options.recipe.styles)]
    _settle(out, options)
    done = {name for name in videos if all(os.path.isdir(f"{f}/{name}") for f in folders)}
    left = {name: path for name, path in videos.items() if name not in done}
    failed = {}
    tasks = _together(left, folders, options, workers)
    for name, problem in progress(tasks, len(left), "styling"):
        if problem:
            failed[name] = problem
            log.warning("left out: %s", problem)
    with write_whole(f"{out}/bad.csv") as file:
        csv.writer(file).writerows([("path", "reason"), *((videos[n], failed[n]) for n in failed)])
    written = [name for name in left if name not in failed]
    return Outcome(written, [name for name in videos if name in done], failed)


def collect(sources: Sequence[str]) -> dict[str, str]:
    """{name: path} of the videos that ``sources`` are or hold; a folder of pictures is a video."""
    videos: dict[str, str] = {}
    for source in sources:
        source = source.rstrip("/")
        holds_videos = os.path.isdir(source) and not any(map(is_picture, os.listdir(source)))
        alone = {without_ending(os.path.basename(source)): source}
        for name, path in (find_videos(source) if holds_videos else alone).items():
            if videos.setdefault(name, path) != path:
                raise DataError(
                    f"Expected one video of each name, but both {videos[name]} and {path} would "
                    f"be written as {name}. Style them into two folders."
                )
    if not videos:
        raise DataError(f"Expected videos in {', '.join(sources)}, but there are none.")
    return videos


def write_video(name: str, path: str, folders: Sequence[str], options: Options) -> str:
    """Writes one video in all styles; returns what is wrong with it, "" where nothing is."""
    parts = [_part(folder, name) for folder in folders]
    try:
        for part in parts:
            _clear(part)
            os.makedirs(part)
        _write_frames(path, parts, options)
        for part, folder in zip(parts, folders, strict=True):
            if not os.path.isdir(f"{folder}/{name}"):  # there where a run was stopped just here
                os.rename(part, f"{folder}/{name}")
    except VideoError as error:
        return str(error)
    finally:
        for part in parts:
            _clear(part)
    return ""


def _write_frames(path: str, parts: Sequence[str], options: Options) -> None:
    style: Styler = make_styler(options.recipe)
    info = probe(path, backend=options.backend, folder_fps=options.folder_fps)
    numbers = range(0, info.frames, options.every)
    about = {"source": path, "fps": info.fps / options.every, "every": options.every}
    short = min(info.width, info.height)
    scale = min(options.short_side / short, 1) if options.short_side else 1
    step = max(8, int(_PIXELS / (info.width * info.height * scale**2)))
    for first in range(0, len(numbers), step):
        frames = read_frames(
            path,
            numbers[first : first + step],
            short_side=options.short_side,
            backend=options.backend,
            folder_fps=options.folder_fps,
        )
        for k, part in enumerate(parts):
            for place, frame in enumerate(style(k, frames).numpy(), first + 1):
                _write_picture(f"{part}/frame_{place:05d}", frame, options)
    for part in parts:
        with write_whole(f"{part}/{ABOUT}") as file:
            json.dump(about, file)


def _write_picture(stem: str, frame: object, options: Options) -> None:
    kind, how = ".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if not options.png:  # colours at full size, as styles are colours first of all
        full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        kind, how = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, options.quality, *full]
    _, data = cv2.imencode(kind, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), how)
    with open(f"{stem}{kind}", "wb") as file:  # unlike cv2.imwrite, says when the disk is full
        file.write(data.tobytes())


def _together(
    videos: Mapping[str, str], folders: Sequence[str], options: Options, workers: int
) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of each video as it is finished."""
    if workers < 2:
        yield from ((name, write_video(name, p, folders, options)) for name, p in videos.items())
        return
    spawn = multiprocessing.get_context("spawn")  # a fork would not get the GPU
    with ProcessPoolExecutor(workers, spawn, initializer=_alone) as pool:
        tasks = {pool.submit(write_video, n, p, folders, options): n for n, p in videos.items()}
        try:
            yield from ((tasks[task], task.result()) for task in as_completed(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _alone() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def _settle(out: str, options: Options) -> None:
    """Writes down how the frames are made; OutputError where it was otherwise before."""
    path = f"{out}/stylize.json"
    how = {key: value for key, value in asdict(options).items() if key != "recipe"}
    how = {"styles": options.recipe.about(), **how, "decoder": backend_version(options.backend)}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
        other = [key for key in how if before.get(key) != how[key] and key != "decoder"]
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


def _part(folder: str, name: str) -> str:
    """Where a video's frames are until they are all there; hidden from readers."""
    head, tail = os.path.split(name)
    return os.path.join(folder, head, f".{tail}.part")


def _clear(folder: str) -> None:
    if os.path.isdir(folder):
        shutil.rmtree(folder)
