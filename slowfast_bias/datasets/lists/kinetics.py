"""Reader of the annotations of Kinetics: one clip a row, named by its video and its seconds."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator

from slowfast_bias.datasets.lists.list_source import Row, Source, whole, wrong

_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read_kinetics(source: Source) -> Iterator[Row]:
    """Yields the rows of a csv with label, youtube_id, time_start, time_end and more.

    Classes are numbered in alphabetical order over the training list, as in SlowFast's model zoo. A
    clip is `<id>_<start>_<end>`; also `<id>`, unless the list has several clips of that video. The
    test lists of Kinetics-600 and -700 have no labels: the validation list replaces them.
    """
    path = source.list_file
    if source.split == "test" and not source.names and _lacks_labels(source, path):
        path = source.list_of("val")
    train = {row["label"] for _, row in _annotations(source, source.list_of("train"))}
    classes = {name: number for number, name in enumerate(sorted(train))}
    source.classes.update(classes)
    rows = list(_annotations(source, path))
    clips = Counter(row["youtube_id"] for _, row in rows)
    for number, row in rows:
        place = f"row {number}"
        if row["label"] not in classes:
            raise wrong(path, place, f"the label {row['label']!r} is not in the training list")
        start, end = (_seconds(row[key], path, place) for key in ("time_start", "time_end"))
        name, label = row["youtube_id"], classes[row["label"]]
        others = (name,) if clips[name] == 1 else ()
        yield Row(path, number, f"{name}_{start:06d}_{end:06d}", label, others=others)


def _lacks_labels(source: Source, path: str) -> bool:
    columns = next(csv.reader(source.lines(path)[:1]), [])
    return "label" not in columns and set(_COLUMNS[1:]) <= set(columns)


def _annotations(source: Source, path: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields the rows with their numbers."""
    reader = csv.DictReader(source.lines(path))
    try:
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise wrong(
                path, "row 1",
                f"expected the columns {', '.join(_COLUMNS)}, but {', '.join(missing)} is missing. "
                "`path label` rows have BIAS.DATA.FORMAT csv",
            )  # fmt: skip
        for row in reader:
            if any(not row[name] for name in _COLUMNS):
                found = str([row[name] for name in _COLUMNS])[:200]
                raise wrong(path, f"row {reader.line_num}", f"a column is empty: {found}")
            yield reader.line_num, row
    except csv.Error as error:
        place = f"row {reader.reader.line_num}"
        raise wrong(path, place, f"expected a row of a csv: {error}") from error


def _seconds(text: str, path: str, place: str) -> int:
    """Returns whole seconds; some copies of the lists write them as 17.0."""
    return whole(text.removesuffix(".0"), path, place)
