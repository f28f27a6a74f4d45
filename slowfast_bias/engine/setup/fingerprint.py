"""Fingerprint: one number for everything that decides the numbers of a piece of work.

What was saved of unfinished work is gone on with if its fingerprint is that of the work to do, and
only then: another list, other weights, another config or version give other numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

import slowfast_bias
from slowfast_bias import host
from slowfast_bias.config import dump_cfg
from slowfast_bias.datasets.contract import ClipSource, VideoDataset
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup.provenance import device_name

_FORM = 1  # of what is saved; raised with every change of it
# They change no number: a run that was killed for its memory goes on with fewer workers.
_FREE = (
    "OUTPUT_DIR", "LOG_PERIOD", "DATA_LOADER.NUM_WORKERS", "DATA_LOADER.PIN_MEMORY",
    "BIAS.RANK_TIMEOUT", "BIAS.CHECKPOINT_MINUTES",
)  # fmt: skip


def fingerprint(cfg: CfgNode, *facts: Any) -> str:
    """Returns 16 hexadecimal digits, other ones for every process of a group and every group.

    Args:
        cfg: the config.
        facts: what else decides: numbers and texts, as `repr` gives them.
    """
    versions = (_FORM, slowfast_bias.__version__, torch.__version__, host.name)
    group = (ranks.rank(), ranks.world_size(), device_name(ranks.device_of(cfg)))
    digest = hashlib.blake2b(_decisive(cfg).encode(), digest_size=8)
    digest.update(repr((versions, group, facts)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def weights_digest(model: nn.Module) -> str:
    """Returns a number for the weights of a network, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=8)
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous()
            digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def list_digest(dataset: VideoDataset | ClipSource) -> str:
    """Returns a number for the videos of a list: their names, and the file that names them."""
    digest = hashlib.blake2b(repr(sorted(dataset.about().items())).encode(), digest_size=8)
    for line in _lines(dataset):
        digest.update(line)
    return digest.hexdigest()


def _lines(dataset: VideoDataset | ClipSource) -> Iterator[bytes]:
    for clip in range(0, len(dataset), dataset.views):
        yield repr(dataset.describe(clip)).encode("utf-8", "surrogateescape")
    path = dataset.about().get("list")
    if isinstance(path, str) and g_pathmgr.isfile(path):
        with g_pathmgr.open(path, "rb") as file:
            yield file.read()  # labels stand in it too


def _decisive(cfg: CfgNode) -> str:
    mine = cfg.clone()
    mine.defrost()
    for key in _FREE:
        *path, name = key.split(".")
        node = mine
        for part in path:
            node = node[part]
        node.pop(name, None)
    return dump_cfg(mine)
