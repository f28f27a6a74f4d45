"""What a report of a list says of its videos: how they were read, and which are not in it."""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.datasets.loader import Loader


def what_was_shown(
    cfg: CfgNode, loader: Loader, split: str, views: int, seen: torch.Tensor
) -> dict[str, Any]:
    """The same on every process, after `bad_videos.settle`; names are those of ``report.json``.

    ``seen`` (V,) tells of which videos all ``views`` could be read. Data sets of the hosts cannot
    say how they read, nor why they could not.
    """
    dataset = loader.dataset.dataset
    dropped = (~seen).nonzero().flatten().tolist()
    describe = getattr(dataset, "describe", None)
    names = [describe(video * views)[0] for video in dropped] if describe else []
    told = [(name, *loader.told[name]) for name in names if name in loader.told]
    about = getattr(dataset, "about", dict)
    return {
        "host": f"SlowFast {host.name}",
        "data": f"{cfg.TEST.DATASET if split == 'test' else cfg.TRAIN.DATASET}/{split}",
        "frames": f"{cfg.DATA.NUM_FRAMES}x{cfg.DATA.SAMPLING_RATE}",
        "views": views,
        "classes": cfg.MODEL.NUM_CLASSES,
        "videos": int(seen.sum()),
        **about(),
        "dropped_videos": dropped,
        "dropped_because": [dict(zip(("path", "row", "reason"), t, strict=True)) for t in told],
    }
