"""Checks of the task: whether network, pairs and switches are those of masks or of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.config.check_styles import has_flow_pairs
from slowfast_bias.models.families import family_named
from slowfast_bias.models.families.family import SEGMENTATION, InputSpec

STREAM_KEYS = {"APP_WEIGHTS": "app", "MOT_WEIGHTS": "mot"}
_FOR_CLASSES = ("BIAS.STATIC_DROPOUT.ENABLE", "BIAS.SHUFFLE.TRAIN", "BIAS.SHUFFLE.VAL",
                "BIAS.NEW_CLASSIFIER")  # fmt: skip
_LISTS = ("train", "val", "test")


def task(cfg: CfgNode) -> Iterator[str]:
    """Yields what does not fit BIAS.TASK, one sentence each."""
    family = family_named(cfg.MODEL.MODEL_NAME)
    if family is not None and family.task != cfg.BIAS.TASK and SEGMENTATION in (
        family.task, cfg.BIAS.TASK
    ):  # fmt: skip
        yield (
            f"BIAS.TASK: expected {family.task} for MODEL.MODEL_NAME {cfg.MODEL.MODEL_NAME}, but "
            f"got {cfg.BIAS.TASK}"
        )
    if cfg.BIAS.TASK != SEGMENTATION:
        if cfg.BIAS.MASKS.MIRROR:
            yield "BIAS.MASKS.MIRROR: expected BIAS.TASK segmentation for it; set it to False"
        if cfg.BIAS.MASKS.CENTRE in _LISTS:
            yield "BIAS.MASKS.CENTRE: expected BIAS.TASK segmentation for it; leave it empty"
        return
    for key in _FOR_CLASSES:
        section, _, name = key.removeprefix("BIAS.").rpartition(".")
        if (cfg.BIAS[section] if section else cfg.BIAS)[name]:
            yield f"{key}: it is for BIAS.TASK classification; set it to False"
    if not has_flow_pairs(cfg):
        yield (
            "BIAS.PAIRS: expected flow_jitter, flow_swap or auto for BIAS.TASK segmentation, but "
            f"got {cfg.BIAS.PAIRS}"
        )
    for size in cfg.BIAS.SEGMENTS.SIZES:
        yield from _wrong_size(size, cfg.BIAS.SEGMENTS.SIZE)
    given = [f"BIAS.SEGMENTATION.{key}" for key in STREAM_KEYS if cfg.BIAS.SEGMENTATION[key]]
    if given and cfg.TRAIN.CHECKPOINT_FILE_PATH:
        yield f"{given[0]}: TRAIN.CHECKPOINT_FILE_PATH has weights of its own; give one of both"
    if family is not None and cfg.BIAS.MASKS.DECODER_RATE != 1 and not family.decoder:
        yield (f"BIAS.MASKS.DECODER_RATE: {cfg.MODEL.MODEL_NAME} has no decoder apart; set it to 1")
    if family is not None and family.input_spec is not None:
        yield from _inputs(cfg, family.input_spec)


def _wrong_size(size: Any, largest: Sequence[int]) -> Iterator[str]:
    """Yields what is wrong with one of BIAS.SEGMENTS.SIZES."""
    sides = size if isinstance(size, (list, tuple)) else []
    whole = [side for side in sides if isinstance(side, int) and side > 0]
    if len(sides) != 2 or len(whole) != 2:
        yield (
            "BIAS.SEGMENTS.SIZES: expected heights and widths in pixels, such as "
            f"[[256,448],[320,560]], but got {size!r} among them"
        )
    elif any(side > most for side, most in zip(whole, largest, strict=False)):
        yield (
            f"BIAS.SEGMENTS.SIZES: expected none above BIAS.SEGMENTS.SIZE {list(largest)}, in "
            f"which frames are read, but got {list(size)}"
        )


def _inputs(cfg: CfgNode, spec: InputSpec) -> Iterator[str]:
    """Yields frames and flow that the network cannot take."""
    name = cfg.MODEL.MODEL_NAME
    if spec.frames not in (None, cfg.DATA.NUM_FRAMES):
        yield (f"DATA.NUM_FRAMES: expected {spec.frames} for {name}, but got {cfg.DATA.NUM_FRAMES}")
    both = sum(stream.channels for stream in spec.streams if stream.holds == "flow") == 6
    if both != cfg.BIAS.SEGMENTS.BACKWARD:
        yield f"BIAS.SEGMENTS.BACKWARD: expected {both} for {name}, but got {not both}"
