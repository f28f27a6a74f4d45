"""Floor 0: the one bar that shows how far a loop has come; in pipes and files there is none.

A terminal draws it over itself again and again; a file would get hundreds of lines.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_drawn = 0  # bars on the terminal now


def bar(steps: Iterable[T], total: int | None, title: str, quiet: bool = False) -> Iterator[T]:
    """Yields `steps`, with a bar on stderr if that is a terminal and the caller is not `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield from steps
        return
    from tqdm import tqdm

    global _drawn
    _drawn += 1
    try:
        yield from tqdm(steps, total=total, desc=title, file=sys.stderr, leave=False)
    finally:
        _drawn -= 1


@contextlib.contextmanager
def beside_bar() -> Iterator[None]:
    """Takes a bar off the terminal while lines are written to it, and puts it back below them."""
    if not _drawn:
        yield
        return
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        yield
