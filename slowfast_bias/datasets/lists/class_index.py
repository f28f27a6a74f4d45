"""Finds classes by what a user calls them: a name, however it is written, or a number.

Names differ between copies of a data set in capitals, commas, underscores and brackets only
(`Pushing [something] off`, `pushing_something_off`), so that these do not count.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any

from slowfast_bias.datasets.lists.class_names import names_in
from slowfast_bias.datasets.lists.list_source import wrong
from slowfast_bias.datasets.lists.plain_files import read_text
from slowfast_bias.errors import DataError

_KEY = "BIAS.BEHAVIOUR.CLASS_NAMES"
_DROPPED = re.compile(r"[\[\]\"']")
_BLANK = re.compile(r"[\s,_]+")


class ClassIndex:
    """The classes of a network by name and number.

    Attributes:
        names: {number: name}; {} if no names are known.
        count: MODEL.NUM_CLASSES.
    """

    def __init__(self, names: Mapping[int, str], count: int) -> None:
        self.names, self.count = dict(sorted(names.items())), count
        self._numbers: dict[str, int] = {}
        for number, name in self.names.items():
            twin = self._numbers.setdefault(plain_name(name), number)
            if twin != number:
                raise DataError(
                    f"Expected classes of different names, but {twin} is {self.names[twin]!r} and "
                    f"{number} is {name!r}."
                )

    def number(self, text: str, file: str, place: str) -> int:
        """Returns the number of a class; DataError names the row, and near names."""
        found = self._numbers.get(plain_name(text))
        if found is not None:
            return found
        if text.strip().isdecimal() and int(text) < self.count:
            return int(text)
        raise wrong(file, place, self._unknown(text.strip()))

    def named(self, number: int) -> str:
        """Returns the name of a class, or its number as text."""
        return self.names.get(number, str(number))

    def _unknown(self, text: str) -> str:
        if not self.names:
            return (
                f"expected the number of a class, 0 to {self.count - 1}, as the test list has no "
                f"names of classes, but got {text[:80]!r}; give the names with {_KEY}"
            )
        near = difflib.get_close_matches(plain_name(text), self._numbers, n=3)
        known = [self.names[self._numbers[name]] for name in near] or [*self.names.values()][:3]
        hint = "near ones are" if near else "there are"
        return (
            f"expected the name of a class, or its number from 0 to {self.count - 1}, but got "
            f"{text[:80]!r}; {hint} {', '.join(map(repr, known))}"
        )


def plain_name(name: str) -> str:
    """Returns a name as it is compared."""
    return _BLANK.sub(" ", _DROPPED.sub("", name)).strip().casefold()


def read_class_names(path: str, count: int) -> dict[int, str]:
    """Returns {number: name} of a file: a name a row, `name number`, or JSON; DataError."""
    text = read_text(path, _KEY)
    rows = _from_json(text, path) if path.endswith(".json") else names_in(text.splitlines(), path)
    names = {number: name for name, number in rows.items()}
    outside = [f"{name!r} {number}" for number, name in names.items() if not 0 <= number < count]
    if outside or not names:
        got = f"{outside[0]} is none" if outside else "it has none"
        raise DataError(
            f"Expected names of the {count} classes (MODEL.NUM_CLASSES) in {path}, but {got}."
        )
    return names


def _from_json(text: str, path: str) -> dict[str, int]:
    """Returns {name: number} of `{name: number}` or of a list of names."""
    try:
        tree: Any = json.loads(text)
        if isinstance(tree, list):
            tree = {str(name): number for number, name in enumerate(tree)}
        return {str(name): int(number) for name, number in tree.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"Expected {{name: number}} or a list of names as JSON in {path}, but {error}."
        ) from error
