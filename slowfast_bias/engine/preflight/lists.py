"""Reads all lists of a run up front, so that a bad list fails in seconds and not after a training.

Nothing is decoded. Each step reads its own list again when its turn comes.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator

from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import is_registered, open_dataset
from slowfast_bias.datasets.styles.folders import find_styles
from slowfast_bias.engine.setup.loaders import dataset_name

STYLED = "styled folders"  # in place of a list: what a measurement of BIAS.STYLES.DIRS reads


def check_lists(cfg: CfgNode, lists: Iterable[str]) -> None:
    """Raises what the given lists ("train", "val", "test", `STYLED`) would raise later.

    Data sets of the host are left alone: they may be expensive to construct.
    """
    for split in lists:
        if split == STYLED:
            find_styles(cfg.BIAS.STYLES.DIRS, cfg.BIAS.STYLES.LIST)
        elif is_registered(dataset_name(cfg, split)):
            with quiet():
                open_dataset(dataset_name(cfg, split), cfg, split)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppresses the warnings of a list: the step that reads it gives them again."""
    readers = logging.getLogger("slowfast_bias.datasets")
    before = readers.level
    readers.setLevel(logging.ERROR)
    try:
        yield
    finally:
        readers.setLevel(before)
