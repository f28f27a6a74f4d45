"""Writes styled folders: OUT/style_0/VIDEO/frame_00001.jpg and so on, for every style.

A video's folder gets its name when all its frames are there, so that a run that was stopped is
taken up where it was. What cannot be read is listed in OUT/bad.csv. OUT/stylize.json says how the
frames were made, and a run with other settings is refused; so is a second one at the same time.
"""

from __future__ import annotations

import csv
import functools
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from slowfast_bias.datasets.decoding.read_frames import VideoError
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.datasets.styles.aligned_frames import ABOUT, about_video
from slowfast_bias.datasets.styles.folders import find_videos, is_series, without_ending
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.styling.stylers import make_styler
from slowfast_bias.engine.styling.video_writer import (
    UNFINISHED,
    Options,
    alone_in,
    settle,
    write_video,
)
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole

__all__ = ["Options", "Outcome", "collect", "stylize"]
log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of the videos, by name."""

    written: list[str]
    skipped: list[str]  # all there from before
    failed: dict[str, str]  # with the reason


def stylize(
    sources: Sequence[str],
    out: str,
    options: Options = Options(),  # noqa: B008  frozen
    workers: int = 0,
) -> Outcome:
    """Writes every video below ``sources`` in every style into ``out``.

    Args:
        sources: videos, and folders in which all videos are taken.
        out: a local folder, made where it is not there; in none of the sources.
        options: what is written.
        workers: processes; 0: this one alone.
    """
    out = out.rstrip("/") or "/"
    _check_apart(sources, out)
    videos = collect(sources)
    make_styler(options.recipe)  # what is wrong with it is said before any work
    folders = [f"{out}/style_{k}" for k in range(options.recipe.styles)]
    with alone_in(out):
        settle(out, options)
        _forget_unfinished(folders)  # what a killed run left
        done = {n for n in videos if all(os.path.isfile(f"{f}/{n}/{ABOUT}") for f in folders)}
        _warn_of_others(folders[0], {name: videos[name] for name in videos if name in done})
        left = {name: path for name, path in videos.items() if name not in done}
        failed = {}
        steps = _together(left, folders, options, workers)
        for name, problem in progress(steps, len(left), "styling"):
            if problem:
                failed[name] = problem
                log.warning("left out: %s", problem)
        _forget_unfinished(folders)
        with write_whole(f"{out}/bad.csv") as file:
            rows = ((videos[name], failed[name]) for name in left if name in failed)
            csv.writer(file).writerows([("path", "reason"), *rows])
    written = [name for name in left if name not in failed]
    return Outcome(written, [name for name in videos if name in done], failed)


def collect(sources: Sequence[str]) -> dict[str, str]:
    """{name: path} of the videos that ``sources`` are or hold; a folder of pictures is a video."""
    videos: dict[str, str] = {}
    for source in sources:
        source = source.rstrip("/") or "/"
        holds_videos = os.path.isdir(source) and not is_series(source)
        alone = {without_ending(os.path.basename(os.path.abspath(source))): source}
        for name, path in (find_videos(source) if holds_videos else alone).items():
            if videos.setdefault(name, path) != path:
                raise DataError(
                    f"Expected one video of each name, but both {videos[name]} and {path} would "
                    f"be written as {name}. Style them into two folders."
                )
    if not videos:
        raise DataError(f"Expected videos in {', '.join(sources)}, but there are none.")
    for name in videos:
        above = name.rpartition("/")[0]
        while above:
            if above in videos:
                raise DataError(
                    f"Expected no video in the folder of another one's frames, but {videos[name]} "
                    f"would be written into that of {videos[above]}. Rename one of them."
                )
            above = above.rpartition("/")[0]
    return videos


def _check_apart(sources: Sequence[str], out: str) -> None:
    """DataError where the styled videos would be found as videos to be styled."""
    for source in sources:
        if f"{os.path.realpath(out)}/".startswith(f"{os.path.realpath(source)}/"):
            raise DataError(
                f"Expected a folder outside {source} for its styled videos, but got {out}: the "
                "next call would style the styles."
            )


def _forget_unfinished(folders: Sequence[str]) -> None:
    for folder in folders:
        shutil.rmtree(f"{folder}/{UNFINISHED}", ignore_errors=True)


def _warn_of_others(folder: str, done: Mapping[str, str]) -> None:
    """Says where a video that is there was made of another file than the one given now."""
    other = []
    for name, path in done.items():
        try:
            source = about_video(f"{folder}/{name}").source
        except VideoError:
            source = ""
        if source and source != os.path.abspath(path):
            other.append(f"{name} (of {source}, not {path})")
    if other:
        log.warning(
            "%d videos were there before, by these names, of other files; they stay as they are: "
            "%s%s",
            len(other), "; ".join(other[:5]), "; ..." * (len(other) > 5),
        )  # fmt: skip


def _together(
    videos: Mapping[str, str], folders: Sequence[str], options: Options, workers: int
) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of each video as it is finished."""
    work = functools.partial(write_video, folders=tuple(folders), options=options)
    for (name, path), problem in in_parallel(work, videos.items(), workers):
        if problem is None:
            problem = (
                f"Expected to style {path}, but its process died, perhaps for want of memory. "
                "Fewer --workers need less."
            )
        yield name, problem
