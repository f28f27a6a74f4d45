"""Readers of the JSON lists of Something-Something V2, Something-Else, Diving48 and ActivityNet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.lists.list_source import Row, Source, wrong
from slowfast_bias.errors import DataError

_LABELS = ("something-something-v2-labels.json", "labels.json")


def read_something(source: Source) -> Iterator[Row]:
    """Yields the rows of `{"id": "78687", "template": "Holding [something]"}`; needs labels.json.

    The numbers in the labels.json of Something-Something are in alphabetical order. Those of
    Something-Else are not, but its authors number classes in alphabetical order, so this does too.
    """
    path = source.list_file
    entries = source.json(path, list, 'a list of {"id": ..., "template": ...}')
    labels_file = _labels_file(source, path)
    labels = _labels(source, labels_file)
    if source.form == "something_else":
        labels = _numbered(labels)
    source.classes.update(labels)
    for number, entry in enumerate(entries, start=1):
        place = f"entry {number}"
        name = _field(entry, "id", (str, int), path, place)
        plain = _plain(_field(entry, "template", (str,), path, place))
        if plain not in labels:
            raise wrong(path, place, f"its template {plain!r} is not in {labels_file}")
        yield Row(path, number, str(name), labels[plain], kind="entry")


def _labels_file(source: Source, path: str) -> str:
    """Returns the file beside the list or above it; `base_labels.json` for `base_*.json` first."""
    beside, _, list_name = path.rpartition("/")
    names = (f"{list_name.partition('_')[0]}_labels.json", *_LABELS)
    known = [f"{folder}/{name}" for folder in (beside, source.folder) for name in names]
    return next((file for file in known if g_pathmgr.isfile(file)), f"{beside}/labels.json")


def _labels(source: Source, path: str) -> dict[str, int]:
    """Returns {template: class}, from an object of these, or from a list in alphabetical order."""
    tree = source.json(path, (dict, list), "an object {template: number}, or a list of templates")
    if isinstance(tree, list):
        return _numbered(_plain(str(name)) for name in tree)
    labels = {}
    for name, number in tree.items():
        if isinstance(number, bool) or not str(number).isdecimal() or len(str(number)) > 18:
            got = str(number)[:60]
            raise wrong(path, f"field {name!r}", f"{got!r} is not the number of a class")
        labels[_plain(name)] = int(number)
    return labels


def _numbered(names: Iterable[str]) -> dict[str, int]:
    """Returns {name: class}, numbered in alphabetical order."""
    return {name: number for number, name in enumerate(sorted(set(names)))}


def _plain(template: str) -> str:
    return template.replace("[", "").replace("]", "")


def read_diving48(source: Source) -> Iterator[Row]:
    """Yields the rows of `{"vid_name", "label", "start_frame", "end_frame"}`, V1 or V2.

    The published files hold one dive each: their frames from `start_frame`, always 0 in V2, up to
    but without `end_frame`.
    """
    path = source.list_file
    entries = source.json(path, list, 'a list of {"vid_name": ..., "label": ...}')
    for number, entry in enumerate(entries, start=1):
        place = f"entry {number}"
        name = _field(entry, "vid_name", (str,), path, place)
        label = _field(entry, "label", (int,), path, place)
        part: dict[str, Any] = {}
        if "start_frame" in entry or "end_frame" in entry:
            start = _field(entry, "start_frame", (int,), path, place)
            end = _field(entry, "end_frame", (int,), path, place)
            part = {"start": _number(start), "end": _number(end), "unit": "frames"}
        yield Row(path, number, name, label, kind="entry", **part)


_SHORTEST = 0.02  # s, a frame at 50 a second; most shorter ones are [0, 0] or [0.01, 0.02]
_SUBSETS = {"train": "training", "val": "validation", "test": "validation"}


def read_activitynet(source: Source) -> Iterator[Row]:
    """Yields a row for each annotated segment, in seconds; classes are in alphabetical order.

    The published list has errors that will not be fixed. A segment that is twice in a video's
    annotations with the same label, to a thousandth of a second, counts once; one that is too short
    for a frame is left out; one that ends after its video ends with the video.
    """
    path = source.list_file
    tree = source.json(path, dict, 'an object with "database"')
    base = tree.get("database")
    if not isinstance(base, dict):
        raise DataError(f'Expected an object "database" in {path}, but got {str(base)[:60]!r}.')
    every = {name: _annotations(path, name, entry) for name, entry in base.items()}
    classes = _numbered(label for parts in every.values() for _, _, label in parts)
    source.classes.update(classes)
    for number, (name, parts) in enumerate(every.items(), start=1):
        if base[name].get("subset") != _SUBSETS[source.split]:
            continue
        once = {
            (round(start, 3), round(end, 3), label): (start, end) for start, end, label in parts
        }
        for (_, _, label), (start, end) in once.items():
            yield Row(
                path, number, f"v_{name}", classes[label], kind="entry",
                start=start, end=end, unit="t", others=(name,),
                flaw=f"its segment is under {_SHORTEST} s" if end - start < _SHORTEST else "",
            )  # fmt: skip


def _annotations(path: str, name: str, entry: Any) -> list[tuple[float, float, str]]:
    place = f"video {name!r}"
    found = []
    for part in _field(entry, "annotations", (list,), path, place):
        label = _field(part, "label", (str,), path, place)
        segment = _field(part, "segment", (list,), path, place)
        if len(segment) != 2 or not all(
            isinstance(x, (int, float)) and math.isfinite(_number(x)) for x in segment
        ):
            got = str(segment)[:60]
            raise wrong(path, place, f"expected `segment` [start, end], but got {got}")
        found.append((_number(segment[0]), _number(segment[1]), label))
    return found


def _number(value: float) -> float:
    """Returns a number as a float; infinity if it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _field(entry: Any, name: str, types: tuple[type, ...], path: str, place: str) -> Any:
    """Returns a field of an entry; DataError names it if it is missing or of another type."""
    if not isinstance(entry, dict):
        raise wrong(path, place, f"expected an object, but got {str(entry)[:60]!r}")
    value = entry.get(name)
    if not isinstance(value, types) or isinstance(value, bool):
        kinds = " or ".join({str: "text", int: "a whole number", list: "a list"}[t] for t in types)
        got = "it is missing" if name not in entry else f"got {str(value)[:60]!r}"
        raise wrong(path, place, f"expected {kinds} in the field `{name}`, but {got}")
    return value
