"""Partners: classes that a video played backwards changes into, two columns of a text file.

    opening something<TAB>closing something
    # a comma does as well, names with a comma in quotes; numbers of classes too

A row counts in both directions.
"""

from __future__ import annotations

import csv
from typing import NamedTuple

from slowfast_bias.datasets.lists.class_index import ClassIndex
from slowfast_bias.datasets.lists.list_source import wrong
from slowfast_bias.datasets.lists.plain_files import Entry, read_entries

_KEY = "BIAS.BEHAVIOUR.PARTNERS"


class Partners(NamedTuple):
    """Which class a reversed video of a class shows.

    Attributes:
        of: {class: its partner}, both ways.
        pairs: as the file has them.
        file: the file.
    """

    of: dict[int, int]
    pairs: list[tuple[int, int]]
    file: str


def read_partners(path: str, classes: ClassIndex) -> Partners:
    """Returns the partners of a file; DataError names the first row that is wrong."""
    of: dict[int, int] = {}
    pairs = []
    for entry in read_entries(path, _KEY):
        first, second = (classes.number(text, path, entry.place) for text in _columns(entry, path))
        if first == second:
            raise wrong(path, entry.place, f"{classes.named(first)!r} is no partner of itself")
        for one, other in ((first, second), (second, first)):
            if of.setdefault(one, other) != other:
                raise wrong(
                    path, entry.place,
                    f"expected one partner for each class, but {classes.named(one)!r} has "
                    f"{classes.named(of[one])!r} already",
                )  # fmt: skip
        if (second, first) not in pairs and (first, second) not in pairs:
            pairs.append((first, second))
    return Partners(of, pairs, path)


def _columns(entry: Entry, path: str) -> list[str]:
    separator = "\t" if "\t" in entry.text else ","
    cells = next(csv.reader([entry.text], delimiter=separator, skipinitialspace=True))
    cells = [cell.strip() for cell in cells]
    if len(cells) != 2 or not all(cells):
        raise wrong(
            path, entry.place,
            f"expected two classes, separated by a tab or a comma, but got {entry.text[:120]!r}",
        )  # fmt: skip
    return cells
