"""Writes styled folders: OUT/style_0/VIDEO/frame_00001.jpg and so on, for every style.

A video's folder gets its name when all its frames are there, so that a stopped run can go on.
Videos that cannot be read are listed in OUT/bad.csv. OUT/stylize.json holds the settings; a run
with other settings, or a second one at the same time, is an error.
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
    save_settings,
    write_video,
)
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole

__all__ = ["Options", "Outcome", "collect", "stylize"]
log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The result for each video, by name."""

    written: list[str]
    skipped: list[str]  # finished by an earlier call
    failed: dict[str, str]  # name -> reason


def stylize(
    sources: Sequence[str],
    out: str,
    options: Options = Options(),  # noqa: B008  frozen
    workers: int = 0,
) -> Outcome:
    """Writes every video below `sources` in every style into `out`.

    Args:
        sources: videos, and folders of which all videos are taken.
        out: a local folder, created if it is not there; not in one of the sources.
        options: what is written.
        workers: number of processes; 0: only this one.
    """
    out = out.rstrip("/") or "/"
    _check_apart(sources, out)
    videos = collect(sources)
    make_styler(options.recipe)  # so that its errors come before any work
    folders = [f"{out}/style_{k}" for k in range(options.recipe.styles)]
    with alone_in(out):
        save_settings(out, options)
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
    """Returns {name: path} of the videos in `sources`; a folder of pictures is a video."""
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
    """Raises DataError if a later call would take the styled videos for videos to style."""
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
    """Warns of styled videos that were made from another file than the one given now."""
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
            "%d videos of these names were there before, of other files; they are not changed: "
            "%s%s",
            len(other), "; ".join(other[:5]), "; ..." * (len(other) > 5),
        )  # fmt: skip


def _together(
    videos: Mapping[str, str], folders: Sequence[str], options: Options, workers: int
) -> Iterator[tuple[str, str]]:
    """Yields (name, what is wrong, or "") of each video as it is finished."""
    work = functools.partial(write_video, folders=tuple(folders), options=options)
    for (name, path), problem in in_parallel(work, videos.items(), workers):
        if problem is None:
            problem = (
                f"Expected to style {path}, but its process died, perhaps because of too little "
                "memory. Fewer --workers need less."
            )
        yield name, problem
