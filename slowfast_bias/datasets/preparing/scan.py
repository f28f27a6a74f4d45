"""Decodes whole videos to find out whether they can be read, many at a time.

    facts = scan("a.mp4")  # facts.reason: why it cannot be read
    for path, facts in scan_all(paths, processes=8, kept="checked.csv"):
        print(path, facts)

Facts come in the order in which they finish.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.exact_decoding import collect, in_order
from slowfast_bias.datasets.decoding.frame_folder import list_frames
from slowfast_bias.datasets.decoding.packet_index import open_film
from slowfast_bias.datasets.decoding.read_frames import (
    VideoError,
    VideoInfo,
    is_folder,
    probe,
    read_frames,
)
from slowfast_bias.datasets.decoding.timeline import stacked
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.files import TEXT, cannot_write

_END = b",.\r\n"  # of a row


@dataclass(frozen=True)
class Facts:
    """What was found out about a file; `reason` is why it cannot be read, "" if it can."""

    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    reason: str = ""


def scan(path: str, quick: bool = False) -> Facts:
    """Decodes every frame; if `quick`, only the first, the middle and the last one."""
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
    """Yields (path, facts) of files as they finish, those of an earlier call first.

    Args:
        paths: each once.
        processes: number of files at a time.
        kept: a csv of finished files, with which a stopped call goes on. A file that has changed
            since then is decoded again.
        quick: as in `scan`.
    """
    if kept:
        _cut_unfinished(kept)
    known = _read_kept(kept) if kept else {}
    marks = {path: (path, _mark(path), str(quick)) for path in paths}
    yield from ((path, known[mark]) for path, mark in marks.items() if mark in known)
    left = [path for path, mark in marks.items() if mark not in known]
    names = [field.name for field in fields(Facts)]
    for path, facts in in_parallel(functools.partial(scan, quick=quick), left, processes):
        if facts is None:
            facts = Facts(reason=f"Expected to decode {path}, but the decoder crashed.")
        if kept:
            values = (getattr(facts, name) for name in names)
            _append(kept, [*marks[path], *values, "."])
        yield path, facts


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
    """Returns a text that changes if a local file changes."""
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_size}/{status.st_mtime_ns}"


def _append(path: str, values: Sequence[object]) -> None:
    """Adds a row to a csv; OutputError if the disk is full or may not be written to."""
    try:
        with open(path, "a", newline="", **TEXT) as file:
            csv.writer(file).writerow(values)
    except OSError as error:
        raise cannot_write(path, error) from error


def _cut_unfinished(path: str) -> None:
    """Removes a last row that a kill or a full disk cut off, so that rows can be added."""
    try:
        with open(path, "r+b") as file:
            data = file.read()
            if not data.endswith(_END):
                file.truncate(data.rfind(_END) + len(_END) if _END in data else 0)
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_write(path, error) from error


def _read_kept(path: str) -> dict[tuple[str, str, str], Facts]:
    if not os.path.isfile(path):
        return {}
    found = {}
    with open(path, newline="", **TEXT) as file:
        for row in csv.reader(file):
            if len(row) == 10 and row[-1] == ".":
                frames, fps, width, height, codec, reason = row[3:9]
                facts = Facts(int(frames), float(fps), int(width), int(height), codec, reason)
                found[row[0], row[1], row[2]] = facts
    return found
