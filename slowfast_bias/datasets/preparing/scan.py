"""Whole videos decoded to find out whether they can be read, many at a time.

Synopsis::

    facts = scan("a.mp4")  # a reason in them says why it cannot be read
    for path, facts in scan_all(paths, processes=8, kept="checked.csv"):  # as they get done
        print(path, facts)
"""

from __future__ import annotations

import csv
import functools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from typing import TypeVar

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decode import VideoError, VideoInfo, is_folder, probe, read_frames
from slowfast_bias.datasets.decoding.exact import collect, in_order
from slowfast_bias.datasets.decoding.film import open_film
from slowfast_bias.datasets.decoding.frame_folder import list_frames
from slowfast_bias.datasets.decoding.video_info import stacked

Result = TypeVar("Result")


@dataclass(frozen=True)
class Facts:
    """What was found out about a file; ``reason`` says why it cannot be read, "" if it can."""

    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    reason: str = ""


def scan(path: str, quick: bool = False) -> Facts:
    """Decodes every frame; ``quick``: the first, the middle and the last one."""
    try:
        info = probe(path)
        if quick:
            read_frames(path, sorted({0, info.frames // 2, info.frames - 1}), short_side=16)
        else:
            _decode_all(path)
    except VideoError as error:
        return Facts(reason=str(error))
    return _facts(info)


def scan_all(
    paths: Sequence[str], *, processes: int, kept: str | None = None, quick: bool = False
) -> Iterator[tuple[str, Facts]]:
    """The facts of files as they get done, those of an earlier call first.

    Args:
        paths: Each once.
        processes: How many at a time.
        kept: A csv of what is done; a call that was stopped goes on from there. A file that has
            changed since is decoded again.
        quick: As in `scan`.
    """
    known = _read_kept(kept) if kept else {}
    marks = {path: (path, _mark(path), str(quick)) for path in paths}
    yield from ((path, known[mark]) for path, mark in marks.items() if mark in known)
    left = [path for path, mark in marks.items() if mark not in known]
    names = [field.name for field in fields(Facts)]
    for path, facts in in_parallel(functools.partial(scan, quick=quick), left, processes):
        if facts is None:
            facts = Facts(reason=f"Expected to decode {path}, but the decoder crashed.")
        if kept:
            with open(kept, "a", newline="", encoding="utf-8") as file:
                values = (getattr(facts, name) for name in names)
                csv.writer(file).writerow([*marks[path], *values, "."])
        yield path, facts


def in_parallel(
    work: Callable[[str], Result], items: Iterable[str], processes: int
) -> Iterator[tuple[str, Result | None]]:
    """What ``work`` makes of each item, as they get done; None where its process died of it."""
    if processes < 2:
        yield from ((item, work(item)) for item in items)
        return
    # FFmpeg's locks do not survive a fork of this process, and importing torch takes seconds
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([__name__])
    items, running = iter(items), {}
    pool = ProcessPoolExecutor(processes, mp_context=context)
    try:
        while True:
            while len(running) < 2 * processes and (item := next(items, None)) is not None:
                running[pool.submit(work, item)] = item
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                suspects = dict(running)
                running.clear()
                pool.shutdown(cancel_futures=True)
                pool = ProcessPoolExecutor(processes, mp_context=context)
                yield from _one_by_one(work, suspects, context)
                continue
            for future in done:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one_by_one(
    work: Callable[[str], Result], suspects: dict[Future, str], context: object
) -> Iterator[tuple[str, Result | None]]:
    """A process died and took the results of others with it: each item in a process of its own."""
    for future, item in suspects.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            yield item, future.result()
            continue
        with ProcessPoolExecutor(1, mp_context=context) as alone:
            try:
                result = alone.submit(work, item).result()
            except BrokenProcessPool:
                result = None
        yield item, result


def _decode_all(path: str) -> None:
    if is_folder(path):
        series = list_frames(path)
        first = series.picture(0)
        for number in range(len(series.names)):
            stacked(path, [first, series.picture(number)])
        return
    with open_film(g_pathmgr.get_local_path(path)) as film:
        if film.shown:
            collect(film, range(len(film.shown)), lambda frame: None)
        else:
            in_order(film, None, lambda frame: None)


def _facts(info: VideoInfo) -> Facts:
    return Facts(info.frames, round(info.fps, 3), info.width, info.height, info.codec)


def _mark(path: str) -> str:
    """Changes when a local file does."""
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_size}/{status.st_mtime_ns}"


def _read_kept(path: str) -> dict[tuple[str, str, str], Facts]:
    if not os.path.isfile(path):
        return {}
    found = {}
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.reader(file):
            if len(row) == 10 and row[-1] == ".":  # a line that a kill cut off is left out
                frames, fps, width, height, codec, reason = row[3:9]
                facts = Facts(int(frames), float(fps), int(width), int(height), codec, reason)
                found[row[0], row[1], row[2]] = facts
    return found
