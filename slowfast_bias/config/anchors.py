"""What the anchors and aliases of a YAML file stand for, counted before anyone unfolds them.

A few lines of anchors of anchors stand for more values than any memory holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 100_000  # values of a config, which has some hundreds


def count_values(tree: Any, known: dict[int, int] | None = None) -> int:
    """Returns how many values a tree has if each alias is counted as what it stands for.

    Raises RecursionError if a section contains itself.
    """
    known = {} if known is None else known
    if not isinstance(tree, (Mapping, list, tuple)):
        return 1
    if id(tree) not in known:
        inner = tree.values() if isinstance(tree, Mapping) else tree
        known[id(tree)] = 1 + sum(count_values(value, known) for value in inner)
    return known[id(tree)]
