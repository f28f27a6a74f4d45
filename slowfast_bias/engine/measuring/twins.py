"""Twins: other weights of the same network, measured from the same views as the network itself.

Epochs of a run, seeds, a network that was trained against bias: a video is read once for all of
them, and what they differ in is not the videos.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

from fvcore.common.config import CfgNode

from slowfast_bias.config import ConfigError
from slowfast_bias.engine.setup.network import Trained, open_twin

PREFIX = "twin_"  # of their names: those of other files are never theirs


def open_twins(cfg: CfgNode) -> dict[str, Trained]:
    """Returns {name: network} of the files of BIAS.TWINS."""
    files = list(cfg.BIAS.TWINS)
    return {name: open_twin(cfg, file) for name, file in zip(names_of(files), files, strict=True)}


def names_of(files: Sequence[str]) -> list[str]:
    """Returns a name for each file: its own, with its folders if others are called the same.

    ConfigError if a file is given twice.
    """
    paths = [PurePath(os.path.normpath(file)) for file in files]
    if len(set(paths)) < len(paths):
        raise ConfigError([f"BIAS.TWINS {files}: expected every file once, but one is there twice"])
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        above = os.path.commonpath([path.parent for path in paths])
        names = ["_".join(parts) for parts in _unlike([path.relative_to(above) for path in paths])]
    if len(set(names)) < len(names):
        names = [f"{k + 1}_{name}" for k, name in enumerate(names)]
    return [f"{PREFIX}{name}" for name in names]


def _unlike(paths: Sequence[PurePath]) -> list[Sequence[str]]:
    """Returns the parts of each path, without those that all have in common at one place."""
    every = [path.with_suffix("").parts for path in paths]
    if len({len(parts) for parts in every}) > 1 or len(set(every)) == 1:
        return list(every)
    differ = [k for k, found in enumerate(zip(*every, strict=True)) if len(set(found)) > 1]
    return [[parts[k] for k in differ] for parts in every]
