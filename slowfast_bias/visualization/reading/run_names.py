"""A name for each run of a page: that of its folder, longer if two folders have the same."""

from __future__ import annotations

import os
from collections.abc import Sequence

from slowfast_bias.errors import RequestError


def names_of_runs(sources: Sequence[str], names: Sequence[str] | None = None) -> list[str]:
    """Returns a name for each folder or report file; RequestError if those given do not fit."""
    if names is not None and len(names) != len(sources):
        raise RequestError(
            f"Expected a name for each of {len(sources)} runs ({', '.join(sources)}), but got "
            f"{len(names)}: give as many, in the same order."
        )
    found = list(names) if names is not None else _shortest(sources)
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise RequestError(f"Expected names that differ, but got {twice!r} twice.")
    return found


def _shortest(sources: Sequence[str]) -> list[str]:
    """Returns the last parts of the paths, as few as make all of them differ."""
    parts = [_parts(source) for source in sources]
    for count in range(1, max(map(len, parts), default=1)):
        found = ["/".join(words[-count:]) for words in parts]
        if len(set(found)) == len(found):
            return found
    return list(sources)


def _parts(source: str) -> list[str]:
    whole = source if "://" in source else os.path.abspath(source)
    return [part for part in whole.removesuffix(".json").split("/") if part]
