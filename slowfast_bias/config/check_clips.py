"""Checks of what a clip is: how many frames, which pixels, and how they are normalised.

Without these checks the data loaders fail with an IndexError, or only after training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.config.check_styles import has_flow_pairs
from slowfast_bias.config.lookup import lookup
from slowfast_bias.models.families.family import SEGMENTATION

_THREE_CROPS = ("kinetics", "ssv2", "charades")  # loaders of the hosts: left, middle, right
_REORDERING = (
    "BIAS.ENABLE", "BIAS.ABLATION.ENABLE", "BIAS.SHUFFLE.TRAIN", "BIAS.SHUFFLE.VAL",
    "BIAS.SHUFFLE.TEST", "BIAS.BEHAVIOUR.ENABLE",
)  # fmt: skip
_MEASURING = ("BIAS.ENABLE", "BIAS.ABLATION.ENABLE")  # reorder frames as BIAS.PAIRS asks


def clips(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the clips that `cfg` asks for, one sentence each."""
    yield from _normalisation(cfg.DATA)
    scales = cfg.DATA.TRAIN_JITTER_SCALES
    if not _numbers(scales, 2) or not 0 < scales[0] <= scales[1]:
        yield (
            "DATA.TRAIN_JITTER_SCALES: expected two numbers of pixels, the lower one first, but "
            f"got {scales}"
        )
    rate = lookup(cfg, "DATA.TARGET_FPS", 30)  # the release has no such key
    if not _numbers([rate]) or rate <= 0:
        yield f"DATA.TARGET_FPS: expected more than 0 frames per second, but got {rate}"
    name, crops = cfg.TEST.DATASET, cfg.TEST.NUM_SPATIAL_CROPS
    if name.lower() in _THREE_CROPS and crops > 3:
        yield (
            f"TEST.NUM_SPATIAL_CROPS: expected at most 3 with SlowFast's loader {name}, but got "
            f"{crops}; TEST.DATASET videos takes any number"
        )
    yield from _frames(cfg)


def _normalisation(data: CfgNode) -> Iterator[str]:
    for key in ("MEAN", "STD"):
        if not _numbers(data[key], 3):
            yield f"DATA.{key}: expected three numbers, one per colour, but got {data[key]}"
    if _numbers(data.STD, 3) and min(data.STD) <= 0:
        yield f"DATA.STD: expected numbers above 0, as they divide the clips, but got {data.STD}"


def _frames(cfg: CfgNode) -> Iterator[str]:
    """Yields a problem if the frames are too few for another order; their range excludes 0."""
    frames = cfg.DATA.NUM_FRAMES
    wanting = [key for key in _REORDERING if lookup(cfg, key)]
    if cfg.BIAS.TASK == SEGMENTATION:  # other checks say that its frames have no order
        wanting = []
    elif has_flow_pairs(cfg):
        wanting = [key for key in wanting if key not in (*_MEASURING, "BIAS.BEHAVIOUR.ENABLE")]
    if frames == 1 and wanting:
        yield (
            f"DATA.NUM_FRAMES 1: {', '.join(wanting)} brings the frames of a clip into another "
            "order, which takes 2 at least; raise DATA.NUM_FRAMES, or set it to False"
        )
    alpha = lookup(cfg, "SLOWFAST.ALPHA", 1)
    if cfg.MODEL.ARCH not in cfg.MODEL.MULTI_PATHWAY_ARCH or frames < 1 or alpha < 1:
        return
    slow = frames // alpha
    if slow == 0:
        yield (
            f"SLOWFAST.ALPHA {alpha}: leaves the slow pathway none of {frames} frames; lower "
            "it, or raise DATA.NUM_FRAMES"
        )
    measures = [key for key in _MEASURING if lookup(cfg, key)]
    if slow == 1 and frames > 1 and measures and cfg.BIAS.ORDER == "pathway":
        yield (
            f"SLOWFAST.ALPHA {alpha}: leaves the slow pathway 1 of {frames} frames, but BIAS.ORDER "
            "pathway brings those of each pathway into another order, which takes 2 at least; "
            "lower SLOWFAST.ALPHA, raise DATA.NUM_FRAMES, or set BIAS.ORDER clip"
        )


def _numbers(values: Any, count: int = 1) -> bool:
    return len(values) == count and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) for x in values
    )
