"""Numbers of classes that a csv calls by name: the same ones in train, val and test.

They are those of `labels.txt` or `classes.txt` beside the list, one name a line, or `name number`
lines; without such a file the names of the train list are numbered by the alphabet.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.lists.csv_table import Fields, is_number, read_table
from slowfast_bias.datasets.lists.list_source import Source, wrong
from slowfast_bias.errors import DataError

FILES = ("labels.txt", "classes.txt")
_NUMBERED = re.compile(r"(.+?)[\s,]+(\d+)")
_SHOWN = 20


class ClassNames(NamedTuple):
    """The numbers of classes, and the file that they are from; none if labels are numbers."""

    numbers: dict[str, int]
    file: str = ""

    def about(self) -> str:
        """Returns the line for a log."""
        shown = [f"{number} {name}" for name, number in self.numbers.items()]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        return f"classes by {self.file}: {', '.join(shown[:_SHOWN])}{more}"


def class_names(source: Source, path: str, rows: Sequence[Fields]) -> ClassNames:
    """Returns the numbers for the labels of a csv; DataError if train has another kind of them."""
    train = source.list_of("train")
    file = next((file for file in _beside(path) if g_pathmgr.isfile(file)), None)
    if not rows or is_number(rows[0].label):
        if file is None and rows and train != path:
            _refuse_named_train(source, train, path, rows[0])
        return ClassNames({})
    if file is not None:
        return ClassNames(names_in(source.lines(file), file), file)
    known = rows if train == path else read_table(source, train).rows
    if known and is_number(known[0].label):
        raise _mixed(path, rows[0], f"{train} has numbers")
    names = sorted({row.label for row in known if not is_number(row.label)})
    return ClassNames({name: number for number, name in enumerate(names)}, train)


def class_of(path: str, row: Fields, first: Fields, names: ClassNames) -> int:
    """Returns the number of a row's class; DataError if its name is not known."""
    if is_number(row.label):
        raise _mixed(path, row, f"row {first.number} has the name {first.label!r}")
    if row.label not in names.numbers:
        raise wrong(
            path, f"row {row.number}",
            f"expected the name of a class in {names.file}, but got {row.label[:60]!r}; it has "
            f"{', '.join(list(names.numbers)[:_SHOWN])}",
        )  # fmt: skip
    return names.numbers[row.label]


def _beside(path: str) -> list[str]:
    return [f"{path.rpartition('/')[0] or '.'}/{name}" for name in FILES]


def _refuse_named_train(source: Source, train: str, path: str, row: Fields) -> None:
    """Raises DataError if the train list calls classes by name: which number is which?"""
    known: Sequence[Fields] = ()
    with contextlib.suppress(DataError):  # it is told where the list is needed
        known = read_table(source, train).rows if g_pathmgr.isfile(train) else ()
    if known and not is_number(known[0].label):
        raise _mixed(path, row, f"{train} has the name {known[0].label!r}")


def _mixed(path: str, row: Fields, other: str) -> DataError:
    return wrong(
        path, f"row {row.number}",
        f"expected labels of one kind, all numbers or all names, but got {row.label[:60]!r}, and "
        f"{other}",
    )  # fmt: skip


def names_in(rows: Sequence[str], file: str) -> dict[str, int]:
    """Returns {name: number} of rows with a name each, or `name number`; DataError."""
    lines = [line.strip() for line in rows if line.strip()]
    pairs = [_NUMBERED.fullmatch(line) for line in lines]
    # 18 digits are more than any class has; Python refuses to read thousands
    numbered = {found[1]: int(found[2][:18]) for found in pairs if found}
    if lines and len(numbered) == len(lines) == len(set(numbered.values())):
        return dict(sorted(numbered.items(), key=lambda item: item[1]))
    twice = next((line for line in lines if lines.count(line) > 1), None)
    if twice is not None:
        raise wrong(file, f"row {lines.index(twice) + 1}", f"the name {twice!r} stands there twice")
    return {name: number for number, name in enumerate(lines)}
