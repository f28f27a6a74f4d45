"""The table in a csv of paths and labels: its separator, its header if it has one, its fields.

SlowFast's own lists are `path label` rows in which the path may hold spaces. A separator that is
not given is white space wherever such rows can be read so, else a comma.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from slowfast_bias.datasets.lists.list_source import Source, wrong
from slowfast_bias.datasets.lists.video_names import is_video
from slowfast_bias.datasets.lists.video_parts import split_part

# words of a header, the first of each that is there names the column
_PATHS = (
    "path", "video_path", "file_path", "filepath", "filename", "file_name", "file", "video",
    "video_name", "videos", "clip", "name", "video_id", "id",
)  # fmt: skip
_LABELS = (
    "label", "class", "target", "category", "label_id", "class_id", "label_name", "class_name",
    "labels", "classes", "action",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d[\d._]*(e[+-]?\d+)?", re.IGNORECASE)

Separator = str | None  # None: any white space


class Fields(NamedTuple):
    """The fields of a row as they are written."""

    number: int  # of the row in its file
    name: str
    label: str


class Columns(NamedTuple):
    """Where a header says that the fields are."""

    name: int
    label: int
    count: int


class Table(NamedTuple):
    """All rows of a csv, and what about its form is not SlowFast's own."""

    rows: list[Fields]
    note: str


def is_number(label: str) -> bool:
    """Returns whether a label is meant as a number, good or not."""
    return bool(_NUMBER.fullmatch(label))


def read_table(source: Source, path: str) -> Table:
    """Returns the rows of a csv; DataError names the first one that has no two fields."""
    lines = source.lines(path)
    given = source.separator if (source.separator or "").strip() else None
    separator = given or _find_separator([line for line in lines if line.strip()])
    columns = _columns(_cells(lines[0], separator), separator) if lines else None
    if lines and columns is None:
        _refuse_other_header(lines[0], separator, path)
    body = enumerate(lines, start=1)
    if columns is not None:
        next(body)
    rows = [Fields(number, *_fields(line, number, separator, columns, path))
            for number, line in body]  # fmt: skip
    found = {",": "commas", "\t": "tabs"}.get(separator or "") if given is None else None
    notes = [f"{found} separate the fields"] if found else []
    notes += [f"row 1 is a header ({lines[0].strip()})"] if columns is not None else []
    return Table(rows, ", ".join(notes))


def _find_separator(lines: Sequence[str]) -> Separator:
    """Returns the separator of rows that are not blank."""
    if not lines:
        return None
    for separator in (None, ","):
        if _columns(_cells(lines[0], separator), separator) is not None:
            return separator or _white(lines)
    spaced = [line.rsplit(None, 1) for line in lines]
    whole = all(len(fields) == 2 for fields in spaced)
    if whole and all(is_number(label) for _, label in spaced):
        # but for `a.mp4, 0` and `a.mp4,stage 2` in each row
        return "," if all(_ends_before(name) for name, _ in spaced) else None
    commas = [[field.strip() for field in line.rsplit(",", 1)] for line in lines]
    if not all(len(fields) == 2 and all(fields) for fields in commas):
        # a row is wrong, whatever separates the fields: it is told by the rule of the first one
        return "," if len(commas[0]) == 2 and len(spaced[0]) == 1 else _white(lines)
    if all(is_number(label) for _, label in commas) or not whole:
        return ","
    return _white(lines) if all(_is_name(name) for name, _ in spaced) else ","


def _white(lines: Sequence[str]) -> Separator:
    """Returns a tab if each row has one between two fields: a name of a class may hold spaces."""
    tabs = [[field.strip() for field in line.rsplit("\t", 1)] for line in lines]
    return "\t" if all(len(fields) == 2 and all(fields) for fields in tabs) else None


def _ends_before(text: str) -> bool:
    """Returns whether a path that a comma follows is the name of a video, and the text is none."""
    name, comma, rest = text.rpartition(",")
    return bool(comma) and (not rest or (_is_name(name) and not _is_name(text)))


def _is_name(text: str) -> bool:
    try:
        return is_video(split_part(text)[0])
    except ValueError:
        return True


def _cells(line: str, separator: Separator) -> list[str]:
    """Returns all fields of a row; a field in quotes may hold the separator."""
    if separator is None:
        return line.split()
    if len(separator) != 1 or '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except csv.Error:
        return []


def _columns(cells: Sequence[str], separator: Separator) -> Columns | None:
    """Returns the columns that a header names; None if the row is no header."""
    words = [cell.lower() for cell in cells]
    if any(map(is_number, words)) or (separator is None and len(words) != 2):
        return None  # the words may be part of a path
    name = next((words.index(word) for word in _PATHS if word in words), None)
    label = next((words.index(word) for word in _LABELS if word in words), None)
    return None if name is None or label is None else Columns(name, label, len(words))


def _refuse_other_header(line: str, separator: Separator, path: str) -> None:
    cells = [cell.lower() for cell in _cells(line, separator)]
    if separator is not None and len(cells) > 2 and set(cells) & set(_LABELS):
        raise wrong(
            path, "row 1",
            f"expected a header with a column for paths ({', '.join(_PATHS[:8])}, ...) and one for "
            f"labels ({', '.join(_LABELS[:4])}, ...), but got {line[:200]!r}. Rename a column; "
            "annotations of Kinetics have BIAS.DATA.FORMAT kinetics",
        )  # fmt: skip


def _fields(
    line: str, number: int, separator: Separator, columns: Columns | None, path: str
) -> tuple[str, str]:
    """Returns path and label of a row; the path may hold the separator if the label is last."""
    place, mark = f"row {number}", "white space" if separator is None else repr(separator)
    if not line.strip():
        raise wrong(path, place, "it is blank; remove it")
    if columns is not None and columns != (0, 1, 2):
        cells = _cells(line, separator)
        if len(cells) != columns.count:
            problem = f"expected {columns.count} fields as in row 1, separated by {mark}, but it "
            raise wrong(path, place, f"{problem}has {len(cells)}: {line[:200]!r}")
        fields = [cells[columns.name], cells[columns.label]]
    else:
        fields = [field.strip() for field in line.rsplit(separator, 1)]
        quoted = _cells(line, separator) if '"' in line and separator is not None else []
        fields = quoted if len(quoted) == 2 else fields
    if len(fields) != 2 or not all(fields):
        raise wrong(
            path, place,
            f"expected `path label`, separated by {mark}, but it has no label: {line!r}",
        )  # fmt: skip
    return fields[0], fields[1]
