"""Checks of BIAS.BEHAVIOUR; what is in its files is read with the lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup
from slowfast_bias.config.options import behaviour as keys_of_behaviour
from slowfast_bias.config.options import cue_benchmarks
from slowfast_bias.models.families.family import SEGMENTATION

AUTO = ["auto"]
_OF_MASKS = ("ENABLE", "STYLES", "BOOTSTRAP")  # keys that mean something for masks


def behaviour(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the behavioural battery that `cfg` asks for."""
    keys, frames = cfg.BIAS.BEHAVIOUR, cfg.DATA.NUM_FRAMES
    if not keys.ENABLE:
        return
    if cfg.BIAS.TASK == SEGMENTATION:
        yield from _of_masks(cfg)
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


def _of_masks(cfg: CfgNode) -> Iterator[str]:
    """Yields the keys that are set and mean nothing for masks."""
    for option in (*keys_of_behaviour.OPTIONS, *cue_benchmarks.OPTIONS):
        value, name = lookup(cfg, option.key), option.key.rpartition(".")[2]
        if name not in _OF_MASKS and value != option.default:
            yield (
                f"{option.key}: expected it not to be set for BIAS.TASK segmentation, but got "
                f"{value!r}: {_why_not(name)}; leave it out"
            )


def _why_not(name: str) -> str:
    """Returns why a key means nothing for masks."""
    if name in ("K_FRAMES", "WINDOWS", "SINGLE_FRAMES"):
        return "a mask is made of one frame and its flow, whose order cannot change"
    return "a mask has no class"


def _whole(values: Any, low: int, high: float = float("inf")) -> bool:
    """Returns whether all values are different whole numbers of a range."""
    whole = all(isinstance(x, int) and not isinstance(x, bool) and low <= x <= high for x in values)
    return whole and len(set(values)) == len(values)
