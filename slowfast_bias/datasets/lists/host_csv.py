"""List files: one video a row, ``path label``. Checked whole before anything is decoded."""

from __future__ import annotations

import os

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError


def check_list(path: str | os.PathLike[str], separator: str | None, num_classes: int) -> int:
    """The number of videos in a list; DataError names the file and the first row that is wrong.

    ``separator`` None stands for any white space. Videos are not looked for.
    """
    path = os.fspath(path)
    if not g_pathmgr.isfile(path):
        raise DataError(
            f"Expected the list {path} with rows `path label`, but there is no such file. "
            "Set DATA.PATH_TO_DATA_DIR to the folder that holds train.csv, val.csv and test.csv."
        )
    with g_pathmgr.open(path, "r") as file:
        rows = file.read().splitlines()
    if not rows:
        raise DataError(f"Expected rows `path label` in {path}, but it is empty: zero videos.")
    for number, row in enumerate(rows, start=1):
        problem = _wrong(row.split(separator), num_classes)
        if problem:
            mark = "white space" if separator is None else repr(separator)
            raise DataError(
                f"Expected `path label`, separated by {mark}, in row {number} of {path}, but "
                f"{problem}: {row!r}. Mend or remove the row."
            )
    return len(rows)


def _wrong(fields: list[str], num_classes: int) -> str:
    if len(fields) < 2:
        return "it has no label" if any(fields) else "it is blank"
    if len(fields) > 2:
        return f"it has {len(fields)} fields"
    try:
        label = int(fields[1])
    except ValueError:
        return f"the label {fields[1]!r} is not a whole number"
    if not 0 <= label < num_classes:
        return f"the label {label} is not one of the {num_classes} classes (MODEL.NUM_CLASSES)"
    return ""
