"""Checks of BIAS.BEHAVIOUR; what is in its files is read with the lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup

AUTO = ["auto"]


def behaviour(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the behavioural battery that `cfg` asks for."""
    keys, frames = cfg.BIAS.BEHAVIOUR, cfg.DATA.NUM_FRAMES
    if not keys.ENABLE:
        return
    if list(keys.K_FRAMES) != AUTO and not _whole(keys.K_FRAMES, 1, frames):
        yield (
            "BIAS.BEHAVIOUR.K_FRAMES: expected auto, or different whole numbers from 1 to "
            f"{frames} (DATA.NUM_FRAMES), but got {list(keys.K_FRAMES)}"
        )
    if not _whole(keys.WINDOWS, 2):
        yield (
            "BIAS.BEHAVIOUR.WINDOWS: expected different whole numbers of frames from 2 on, but got "
            f"{list(keys.WINDOWS)}"
        )
    act = lookup(cfg, "MODEL.HEAD_ACT", "softmax")
    if act != "softmax":
        yield (
            f"MODEL.HEAD_ACT {act}: BIAS.BEHAVIOUR.ENABLE compares probabilities of classes, which "
            "add up to 1; set it to softmax, or BIAS.BEHAVIOUR.ENABLE to False"
        )


def _whole(values: Any, low: int, high: float = float("inf")) -> bool:
    """Returns whether all values are different whole numbers of a range."""
    whole = all(isinstance(x, int) and not isinstance(x, bool) and low <= x <= high for x in values)
    return whole and len(set(values)) == len(values)
