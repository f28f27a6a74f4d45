"""Readers of lists written as text: csv, UCF101, HMDB51; and of plain folders."""

from __future__ import annotations

import fnmatch
import logging
import os
import re
from collections.abc import Iterator

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.lists.class_names import class_names, class_of
from slowfast_bias.datasets.lists.csv_table import read_table
from slowfast_bias.datasets.lists.list_source import Row, Source, whole, wrong
from slowfast_bias.datasets.lists.video_names import is_picture, is_video
from slowfast_bias.datasets.lists.video_parts import split_part
from slowfast_bias.errors import DataError

log = logging.getLogger(__name__)

_NO_ENDING = "its name does not end as that of a video does; rename it, or remove it"
_GROUP = re.compile(r"(.*v_.+_g\d+)_c\d+(?:\.\w+)?")  # of UCF101: all before the clip's number
_JUNK = (
    "thumbs.db", "desktop.ini", ".txt", ".json", ".csv", ".tsv", ".md", ".xml", ".yaml", ".yml",
    ".srt", ".vtt", ".npy", ".npz", ".log", ".html", ".pdf", ".md5", ".sha256",
)  # fmt: skip


def read_csv(source: Source) -> Iterator[Row]:
    """Yields rows of `path label`, as SlowFast's, or of a csv with commas, header or class names.

    The path may hold the separator.
    """
    path = source.list_file
    rows, note = read_table(source, path)
    names = class_names(source, path, rows)
    source.classes.update(names.numbers)
    if note:
        log.info("%s: %s", path, note)
    if names.numbers:
        log.info("%s: %s", path, names.about())
    for row in rows:
        place = f"row {row.number}"
        try:
            name, unit, start, end = split_part(row.name)
        except ValueError:
            problem = f"the part {row.name!r} has no number where one should be"
            raise wrong(path, place, problem) from None
        if names.numbers:
            label, called = class_of(path, row, rows[0], names), row.label
        else:
            label, called = whole(row.label, path, place), ""
        yield Row(path, row.number, name, label, start=start, end=end, unit=unit, called=called)


def read_ucf101(source: Source) -> Iterator[Row]:
    """Yields rows of `Class/v_Class_g01_c01.avi [number]`; classInd.txt beside has the numbers.

    The clips c01, c02, ... of a group g01 are cut from one recording, or look as if they were.
    """
    path = source.list_file
    index = f"{path.rpartition('/')[0]}/classInd.txt"
    classes = {}
    for number, line in enumerate(source.lines(index), start=1):
        fields = line.split(maxsplit=1)
        if fields:
            if len(fields) != 2:
                raise wrong(index, f"row {number}", f"expected `number Class`, but got {line!r}")
            classes[fields[1].strip()] = whole(fields[0], index, f"row {number}") - 1
    source.classes.update(classes)
    for number, line in enumerate(source.lines(path), start=1):
        fields = line.split()
        if not fields:
            continue
        name = fields[0].partition("/")[0]
        if name not in classes:
            raise wrong(path, f"row {number}", f"the class {name!r} is not in {index}")
        if fields[1:] and fields[1] != str(classes[name] + 1):
            raise wrong(
                path, f"row {number}",
                f"the number is {fields[1]}, but {index} says {classes[name] + 1}",
            )  # fmt: skip
        group = _GROUP.fullmatch(fields[0])
        recording = group[1] if group else ""
        yield Row(path, number, fields[0], classes[name], recording=recording)


def read_hmdb51(source: Source) -> Iterator[Row]:
    """Yields the rows of one file a class, `video.avi 1`: 1 trains, 2 tests, 0 does neither.

    Classes are numbered in alphabetical order.
    """
    folder, _, pattern = source.list_file.rpartition("/")
    names = g_pathmgr.ls(folder) if g_pathmgr.isdir(folder) else []
    names = [n for n in names if not n.startswith(".") and fnmatch.fnmatchcase(n, pattern)]
    files = sorted((n.rpartition("_test_split")[0] or n.rpartition(".")[0], n) for n in names)
    classes = sorted({name for name, _ in files})  # file names sort climb_stairs before climb
    if not files:
        raise DataError(
            f"Expected files {pattern}, one a class, in {folder}, but there are none. Set "
            "DATA.PATH_TO_DATA_DIR to their folder."
        )
    source.classes.update({name: number for number, name in enumerate(classes)})
    wanted = "1" if source.split == "train" else "2"
    for name, file in files:
        label, path = classes.index(name), f"{folder}/{file}"
        for number, line in enumerate(source.lines(path), start=1):
            fields = line.split()
            if fields and (len(fields) != 2 or fields[1] not in ("0", "1", "2")):
                raise wrong(path, f"row {number}", f"expected `video 0|1|2`, but got {line!r}")
            if fields and fields[1] == wanted:
                yield Row(path, number, f"{name}/{fields[0]}", label)


def read_folders(source: Source) -> Iterator[Row]:
    """Yields the videos of `train/CLASS/video.mp4`: one folder a class, in the order of the names.

    Files without the ending of a video are left out and named; hidden files, texts and the like are
    counted in the log.
    """
    path, train = source.list_file, source.list_of("train")
    classes = _folders(train)
    source.classes.update({name: number for number, name in enumerate(classes)})
    unknown = sorted(set(_folders(path)) - set(classes))
    if unknown:
        raise wrong(path, f"folder {unknown[0]!r}", f"{train} has no class of that name")
    number, beside = 0, []
    for name in sorted(g_pathmgr.ls(path)):
        if not name.startswith(".") and not g_pathmgr.isdir(f"{path}/{name}"):
            if _is_junk(name):
                beside.append(name)
                continue
            flaw = "it lies in no folder of a class"
            yield Row(path, 0, f"{path}/{name}", 0, kind="video", flaw=flaw)
    for label, name in enumerate(classes):
        if not g_pathmgr.isdir(f"{path}/{name}"):
            continue
        for video in sorted(g_pathmgr.ls(f"{path}/{name}")):
            if is_picture(video) and not video.startswith("."):
                raise wrong(
                    path, f"folder {name!r}",
                    f"expected videos, or a folder of pictures for each, but got {video}",
                )  # fmt: skip
            full = f"{path}/{name}/{video}"
            # absolute: the folder of the lists is not put before it a second time
            absolute = full if "://" in full else os.path.abspath(full)
            if not video.startswith(".") and (is_video(video) or g_pathmgr.isdir(full)):
                number += 1
                yield Row(path, number, absolute, label, kind="video")
            elif _is_junk(video):
                beside.append(f"{name}/{video}")
            else:
                yield Row(path, number, absolute, label, kind="behind video", flaw=_NO_ENDING)
    if beside:
        log.info("%s: %d files beside the videos, such as %s", path, len(beside), beside[0])


def _is_junk(name: str) -> bool:
    """Returns whether a file clearly is not a video."""
    return name.startswith(".") or name.lower().endswith(_JUNK)


def _folders(path: str) -> list[str]:
    if not g_pathmgr.isdir(path):
        raise DataError(
            f"Expected a folder {path} that holds a folder for each class, but there is none. Set "
            "DATA.PATH_TO_DATA_DIR to the folder above it, or BIAS.DATA.FORMAT to what you have."
        )
    names = sorted(name for name in g_pathmgr.ls(path) if not name.startswith("."))
    return [name for name in names if g_pathmgr.isdir(f"{path}/{name}")]
