"""The lists of all steps of a run, read before the first one: a wrong one must not cost a training.

Nothing is decoded. Each step reads its own list again when its turn comes.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.datasets.styles.folders import find_styles
from slowfast_bias.engine.setup.loaders import check_host_list

# Their lists are all that they consist of; a loader of the hosts may be dear to construct.
_OURS = ("videos", "toyvideos")


def check_lists(cfg: CfgNode) -> None:
    """Raises what the lists and styled folders of the enabled steps would raise later."""
    for dataset, split in lists_of(cfg):
        with _quiet():
            check_host_list(cfg, dataset, split)
            if dataset.lower() in _OURS:
                host.build_dataset(dataset, cfg, split)
    if measures_folders(cfg):
        find_styles(cfg.BIAS.STYLES.DIRS, cfg.BIAS.STYLES.LIST)


def lists_of(cfg: CfgNode) -> list[tuple[str, str]]:
    """(data set, split) of every list that the enabled steps read, in their order, each once."""
    wanted = []
    if cfg.TRAIN.ENABLE:
        wanted += ["train", "val"]
    if cfg.BIAS.ENABLE and not measures_folders(cfg):
        wanted += [cfg.BIAS.SPLIT]
    if cfg.TEST.ENABLE or cfg.BIAS.SHUFFLE.TEST or cfg.BIAS.ABLATION.ENABLE:
        wanted += ["test"]
    return [
        (cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET, split)
        for split in dict.fromkeys(wanted)
    ]


def measures_folders(cfg: CfgNode) -> bool:
    """Whether the measurement is of styled folders, which have no list of a data set."""
    return cfg.BIAS.ENABLE and cfg.BIAS.STYLES.SOURCE == "folders"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of a list: the step that reads it gives them again."""
    readers = logging.getLogger("slowfast_bias.datasets")
    before = readers.level
    readers.setLevel(logging.ERROR)
    try:
        yield
    finally:
        readers.setLevel(before)
