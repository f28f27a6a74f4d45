"""Lists of sequences: names, or paths of frames, a row; or JSON with the names under `videos`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.lists.list_source import wrong
from slowfast_bias.datasets.lists.video_names import is_picture
from slowfast_bias.errors import DataError


def read_names(path: str, known: Collection[str]) -> list[str]:
    """Returns the names of the sequences in a list, each once and in its order.

    Args:
        path: of the list.
        known: names of the sequences that are there. DataError names the row of any other.
    """
    rows = list(_rows(path))
    names: dict[str, None] = {}
    for place, row in rows:
        name = _known(row, known)
        if name is None:
            near = difflib.get_close_matches(row, known, n=1)
            hint = f"did you mean {near[0]}" if near else f"there are {_some(known)}"
            raise wrong(path, place, f"expected a sequence that is there, but got {row!r}; {hint}")
        names[name] = None
    if not names:
        raise DataError(f"Expected names of sequences in {path}, but it has none.")
    return list(names)


def _rows(path: str) -> Iterator[tuple[str, str]]:
    """Yields (place, what it names): "bear", or "/JPEGImages/480p/bear/00000.jpg"."""
    try:
        with g_pathmgr.open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        tree = json.loads(text) if path.endswith(".json") else None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"Expected a list of sequences in {path}, but: {error}.") from error
    if tree is not None:
        if not isinstance(tree, dict) or not isinstance(tree.get("videos"), (dict, list)):
            raise DataError(f"Expected the names of sequences under `videos` in {path}.")
        yield from ((f"video {k}", str(name)) for k, name in enumerate(tree["videos"]))
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if row := line.strip():
            first = row.split()[0]  # then the path of the mask
            yield f"row {number}", first if is_picture(first) else row


def _known(row: str, known: Collection[str]) -> str | None:
    """Returns the sequence that a row names; None if it is not there."""
    if row in known:
        return row
    parts = row.strip("/").split("/")[:-1] if is_picture(row) else []
    return next((n for k in range(len(parts)) if (n := "/".join(parts[k:])) in known), None)


def _some(known: Collection[str]) -> str:
    names = sorted(known)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
