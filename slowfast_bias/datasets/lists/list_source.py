"""The input of a reader of list files, and the rows that it yields."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError

# format -> candidates for the list files of train, val and test; the first one found is used.
# If a publisher keeps the labels of the test set secret, the validation list replaces it.
PUBLISHED: dict[str, dict[str, tuple[str, ...]]] = {
    "csv": {split: (f"{split}.csv",) for split in ("train", "val", "test")},
    "kinetics": {
        "train": ("train.csv",),
        "val": ("val.csv", "validate.csv"),
        "test": ("test.csv", "val.csv", "validate.csv"),
    },
    "ssv2": {
        "train": ("something-something-v2-train.json", "train.json"),
        "val": ("something-something-v2-validation.json", "validation.json"),
        "test": ("something-something-v2-validation.json", "validation.json"),
    },
    "something_else": {
        "train": ("compositional/train.json", "train.json"),
        "val": ("compositional/validation.json", "validation.json"),
        "test": ("compositional/validation.json", "validation.json"),
    },
    "diving48": {
        "train": ("Diving48_V2_train.json", "Diving48_train.json"),
        "val": ("Diving48_V2_test.json", "Diving48_test.json"),
        "test": ("Diving48_V2_test.json", "Diving48_test.json"),
    },
    "activitynet": dict.fromkeys(
        ("train", "val", "test"), ("activity_net.v1-3.min.json", "activity_net.v1-2.min.json")
    ),
    "ucf101": {
        "train": ("trainlist01.txt",),
        "val": ("testlist01.txt",),
        "test": ("testlist01.txt",),
    },
    "hmdb51": dict.fromkeys(("train", "val", "test"), ("*_test_split1.txt",)),
    "rawframes": {
        "train": ("train_list_rawframes.txt", "train.txt"),
        "val": ("val_list_rawframes.txt", "val.txt"),
        "test": ("test_list_rawframes.txt", "test.txt", "val_list_rawframes.txt", "val.txt"),
    },
    "folders": {"train": ("train",), "val": ("val", "test"), "test": ("test", "val")},
    "unlabelled": dict.fromkeys(("train", "val", "test"), ("",)),  # the folder itself
}


_OTHER = re.compile(rb"\A(\xff\xfe|\xfe\xff)|\0")


@dataclass(frozen=True)
class Row:
    """One row of a list, as it is written; the name is a path, or a name to search for."""

    file: str
    number: int
    name: str
    label: int
    kind: str = "row"
    start: float = 0.0
    end: float = 0.0
    unit: str = ""
    others: tuple[str, ...] = ()  # other names that the file may have
    called: str = ""  # the name of the class, if the list has it in place of a number
    recording: str = ""  # what several files are cut from, if the publisher's names tell
    frames: int = 0  # how many a folder of pictures must hold, if the list tells
    flaw: str = ""  # why a published row, which will not be fixed, is left out

    @property
    def place(self) -> str:
        """Its place in its file."""
        return f"{self.kind} {self.number}"

    def wrong(self, problem: str) -> DataError:
        """Returns the error about this row."""
        return wrong(self.file, self.place, problem)


@dataclass(frozen=True)
class Source:
    """The lists of a data set, and which of them is wanted.

    Attributes:
        form: how they are written, a format.
        folder: where they are.
        split: train, val or test.
        names: of the files for train, val and test; none: those of the publisher.
        separator: text between path and label in a csv.
        classes: {name: number} of all classes, as far as the files tell; a reader fills it.
    """

    form: str
    folder: str
    split: str
    names: tuple[str, ...] = ()
    separator: str | None = None
    classes: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def list_file(self) -> str:
        """The path of the wanted list."""
        return self.list_of(self.split)

    def list_of(self, split: str) -> str:
        """Returns the path of the list of a split."""
        if self.names:
            if len(self.names) != 3:
                raise DataError(
                    "Expected BIAS.DATA.LISTS to name the lists of train, val and test, but got "
                    f"{list(self.names)}."
                )
            return self.path(self.names[("train", "val", "test").index(split)])
        known = PUBLISHED[self.form][split]
        there = (name for name in known if "*" in name or g_pathmgr.exists(self.path(name)))
        return self.path(next(there, known[0]))

    def path(self, name: str) -> str:
        """Returns the path of a name in the folder of the lists."""
        return name if name.startswith("/") or "://" in name else f"{self.folder}/{name}"

    def lines(self, path: str) -> list[str]:
        """Returns the lines of a text file; DataError if it is missing or not text."""
        rows = re.split("\r\n|\r|\n", self.text(path))  # names may hold `splitlines`' other ends
        return rows if rows[-1] else rows[:-1]

    def text(self, path: str) -> str:
        """Returns the content of a text file."""
        if not g_pathmgr.isfile(path):
            raise DataError(
                f"Expected the list {path}, but there is no such file. Set DATA.PATH_TO_DATA_DIR "
                "to the folder of the lists, BIAS.DATA.LISTS to their names, and BIAS.DATA.FORMAT "
                f"to the way they are written (here {self.form})."
            )
        with g_pathmgr.open(path, "rb") as file:
            data = file.read()
        # a csv holds the bytes of a name that is not text; other encodings have zeros, or marks
        names = self.form == "csv" and not _OTHER.search(data)
        try:
            return data.decode("utf-8-sig", "surrogateescape" if names else "strict")
        except UnicodeDecodeError as error:
            raise DataError(
                f"Expected text in UTF-8 in {path}, but byte {error.start} is not UTF-8."
            ) from error

    def json(self, path: str, shape: type, meaning: str) -> Any:
        """Returns the content of a JSON file; DataError if it is not JSON or of another shape."""
        text = self.text(path)
        try:
            tree = json.loads(text, parse_int=_whole_or_text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"Expected JSON in {path}, but {error}.") from error
        if not isinstance(tree, shape):
            kind = {dict: "an object", list: "a list"}.get(type(tree), repr(tree)[:60])
            raise DataError(f"Expected {meaning} in {path}, but got {kind}.")
        return tree


def wrong(file: str, place: str, problem: str) -> DataError:
    """Returns the error about a place in a list."""
    return DataError(f"{file}, {place}: {problem}.")


def whole(text: str, path: str, place: str) -> int:
    """Returns the whole number in a field of a list."""
    try:
        return int(text)
    except ValueError:
        raise wrong(path, place, f"{text[:60]!r} is not a whole number") from None


def _whole_or_text(digits: str) -> int | str:
    """Returns a number of JSON; one too long for Python stays text, which no field accepts.

    An error raised here could not name the row.
    """
    try:
        return int(digits)
    except ValueError:
        return digits
