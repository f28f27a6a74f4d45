"""Parts of a test list, whose accuracies are given by themselves: BIAS.BEHAVIOUR.LISTS.

    k400_temporal                       classes that come with this project, by name
    my_classes.txt                      a class a row, by name or number
    splits_ucf_testlist01.json          {split: [video, ...]}: a list for each split (UTD's form)
    mimetics_v1.0.csv                   label,youtube_id,time_start,time_end (Mimetics)

A video or class that the test list lacks is an error, or counted if that is allowed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slowfast_bias.datasets.lists.class_index import ClassIndex
from slowfast_bias.datasets.lists.list_source import wrong
from slowfast_bias.datasets.lists.plain_files import read_entries, read_text
from slowfast_bias.datasets.lists.temporal_classes import SHIPPED
from slowfast_bias.datasets.lists.video_index import VideoIndex
from slowfast_bias.errors import DataError

_KEY = "BIAS.BEHAVIOUR.LISTS"
_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


@dataclass(frozen=True)
class ChosenVideos:
    """Some videos of a test list: those of some classes, or those that a file names.

    Attributes:
        name: what the list is called.
        classes: numbers of classes; None if videos are named.
        videos: numbers of videos in the test list; () if classes are named.
        note: what a reader must know: how many entries the test list lacks.
    """

    name: str
    classes: tuple[int, ...] | None
    videos: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ListFacts:
    """The test list, which lists are compared with.

    Attributes:
        classes: the classes of the network.
        videos: its videos by name; None if the data set does not name them.
        labels: the class of each video; None if it is not known without reading it.
        lenient: whether entries that are not there are counted (BIAS.BEHAVIOUR.ALLOW_MISSING).
    """

    classes: ClassIndex
    videos: VideoIndex | None
    labels: Sequence[int] | None
    lenient: bool = False


def read_chosen(entries: Sequence[str], facts: ListFacts) -> list[ChosenVideos]:
    """Returns the lists of BIAS.BEHAVIOUR.LISTS; DataError names what is wrong with the first."""
    found = [chosen for entry in entries for chosen in _read(entry, facts)]
    names = [chosen.name for chosen in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"Expected lists of different names in {_KEY}, but got {twice!r} twice. Rename a file."
        )
    return found


def _read(entry: str, facts: ListFacts) -> Iterator[ChosenVideos]:
    if entry in SHIPPED:
        rows = [(name, f"class {number}") for number, name in enumerate(SHIPPED[entry], 1)]
        yield _of_classes(entry, entry, rows, facts)
        return
    if "/" not in entry and "." not in entry:
        raise DataError(
            f"Expected {_KEY} to name a file, or one of {', '.join(SHIPPED)}, but got {entry!r}."
        )
    name = entry.rstrip("/").rpartition("/")[2].rpartition(".")[0]
    if entry.endswith(".json"):
        for split, ids in _splits(entry).items():
            find = facts.videos.find if facts.videos is not None else _nothing
            wanted = [(text, f"split {split!r}", find(text)) for text in ids]
            yield _of_videos(f"{name}/{split}", entry, wanted, facts)
    elif _is_annotation(entry):
        yield _of_videos(name, entry, list(_annotated(entry, facts)), facts)
    else:
        rows = [tuple(row) for row in read_entries(entry, _KEY)]
        yield _of_classes(name, entry, rows, facts)


def _of_classes(
    name: str, file: str, rows: Iterable[tuple[str, str]], facts: ListFacts
) -> ChosenVideos:
    rows = {facts.classes.number(text, file, place): text for text, place in rows}
    note = ""
    if facts.labels is not None:
        there = set(facts.labels)
        absent = [text for number, text in rows.items() if number not in there]
        note = _missing(name, absent, len(rows), "classes", "has a video there", facts.lenient)
    return ChosenVideos(name, tuple(sorted(rows)), note=note)


Wanted = tuple[str, str, list[int]]  # a video, its place in the file, its numbers in the test list


def _nothing(*_: object) -> list[int]:
    return []  # of a test list that does not name its videos, which is refused later


def _of_videos(name: str, file: str, wanted: Sequence[Wanted], facts: ListFacts) -> ChosenVideos:
    if facts.videos is None:
        raise DataError(
            f"Expected a data set that names its videos for {file} ({_KEY}), but the test list is "
            "of SlowFast's own. Set TEST.DATASET to videos, or name classes."
        )
    found, absent = {}, []
    for text, place, videos in wanted:
        files = facts.videos.files(videos)
        if len(files) > 1:
            raise wrong(file, place, f"{text!r} names {' and '.join(files[:3])}; write the path")
        found |= dict.fromkeys(videos)
        absent += [] if videos else [text]
    note = _missing(name, absent, len(wanted), "videos", "is there", facts.lenient)
    return ChosenVideos(name, None, tuple(sorted(found)), note)


def _missing(
    name: str, absent: Sequence[str], total: int, what: str, none: str, lenient: bool
) -> str:
    """Returns the note on entries that the test list lacks; DataError if that is not allowed."""
    if not absent:
        return ""
    words = f"{len(absent)} of {total} {what} are not in the test list, the first is {absent[0]!r}"
    if len(absent) == total:
        raise DataError(
            f"Expected {what} of the test list in the list {name!r} ({_KEY}), but none {none}; the "
            f"first is {absent[0]!r}. Compare the names in both."
        )
    if not lenient:
        raise DataError(
            f"Expected all {what} of the list {name!r} ({_KEY}) in the test list, but {words}. "
            "Complete the test list, or set BIAS.BEHAVIOUR.ALLOW_MISSING True to go on with the "
            f"{total - len(absent)} that are there."
        )
    return words


def _splits(file: str) -> dict[str, list[str]]:
    """Returns {split: ids} of a JSON file."""
    try:
        tree: Any = json.loads(read_text(file, _KEY))
    except (ValueError, RecursionError) as error:
        raise DataError(f"Expected JSON in {file} ({_KEY}), but {error}.") from error
    kinds = (str, int)
    if (
        not isinstance(tree, dict)
        or not tree
        or not all(isinstance(ids, list) and ids for ids in tree.values())
        or not all(isinstance(one, kinds) for ids in tree.values() for one in ids)
    ):
        raise DataError(
            f"Expected {{split: [video, ...]}} with videos in each split in {file} ({_KEY}), but "
            f"got {str(tree)[:120]}."
        )
    return {split: list(dict.fromkeys(map(str, ids))) for split, ids in tree.items()}


def _is_annotation(file: str) -> bool:
    first = read_text(file, _KEY).partition("\n")[0]
    return set(_COLUMNS) <= {cell.strip() for cell in first.split(",")}


def _annotated(file: str, facts: ListFacts) -> Iterator[Wanted]:
    """Yields the clips of a csv in the form of Kinetics; their labels must be those of the list."""
    reader = csv.DictReader(read_text(file, _KEY).splitlines(), skipinitialspace=True)
    for row in reader:
        place = f"row {reader.line_num}"
        try:
            start, end = (int(float(row[key])) for key in _COLUMNS[2:])
        except (TypeError, ValueError):
            raise wrong(file, place, f"expected seconds, but got {list(row.values())}") from None
        name, label = row["youtube_id"], facts.classes.number(row["label"], file, place)
        videos = facts.videos.find_clip(name, start, end) if facts.videos is not None else []
        if facts.labels is not None:
            other = {facts.labels[video] for video in videos} - {label}
            if other:
                raise wrong(
                    file, place,
                    f"expected {facts.classes.named(min(other))!r}, the label in the test list, "
                    f"but got {row['label']!r}",
                )  # fmt: skip
        yield f"{name}_{start}_{end}", place, videos
