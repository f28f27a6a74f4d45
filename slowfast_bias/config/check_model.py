"""Checks of the network: whether this host can build it, and whether its keys fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.config.lookup import lookup
from slowfast_bias.errors import UserError
from slowfast_bias.models.families import FAMILIES, Family, canonical_names, family_named


def model(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the network that `cfg` asks for, one sentence each."""
    arch, name = cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME
    family = family_named(name)
    if family is None:
        known = sorted({n for kind in FAMILIES for n in kind.model_names.values()})
        yield f"MODEL.MODEL_NAME: expected one of {', '.join(known)} or PTV..., but got {name!r}"
        return
    wants = family.capability or arch
    if wants not in host.capabilities:
        yield (
            f"MODEL.ARCH {arch} / MODEL_NAME {name} needs the capability {wants!r}, which SlowFast "
            f"{host.name} lacks here (it has {', '.join(sorted(host.capabilities))}). "
            f"{host.remedy_for(wants)}"
        )
    elif not family.prefix and family.model_names.get(arch) != name:
        yield (
            f"MODEL.ARCH {arch} is a {canonical_names(arch, '', False)[1]}, but MODEL_NAME is "
            f"{name}"
        )
    pathways = 2 if arch in cfg.MODEL.MULTI_PATHWAY_ARCH else 1
    channels = cfg.DATA.INPUT_CHANNEL_NUM
    if len(channels) != pathways or not all(map(_is_whole, channels)):
        yield (
            f"DATA.INPUT_CHANNEL_NUM: expected {pathways} number(s), one per pathway of "
            f"{arch}, but got {channels}"
        )
    yield from host.problems(cfg)
    if wants in host.capabilities:
        yield from _against_description(cfg)
    if family.one_size:
        yield from _size(cfg, family)
    if family.depths:
        yield from _depth(cfg, family.depths, pathways)


def _size(cfg: CfgNode, family: Family) -> Iterator[str]:
    """Yields clips that a network of one size cannot take: main has only asserts for them."""
    train, test = cfg.DATA.TRAIN_CROP_SIZE, cfg.DATA.TEST_CROP_SIZE
    if train != test:
        yield (
            f"DATA.TEST_CROP_SIZE {test}: {cfg.MODEL.MODEL_NAME} takes the size alone that it is "
            f"built for, DATA.TRAIN_CROP_SIZE {train}: set both to one value"
        )
    own = family.own
    if own is None or any(own.problems(cfg)):
        return  # of options that our network lacks, the host is asked when it builds its own
    try:
        with torch.device("meta"):
            own.build_from(cfg)
    except UserError as error:
        yield str(error)


def _against_description(cfg: CfgNode) -> Iterator[str]:
    """Yields values that the network's own files exclude."""
    try:
        description = host.described(cfg)
    except UserError as error:
        yield str(error)
        return
    for key in description.fixed:
        wanted, got = description.values[key], lookup(cfg, key)
        if got != wanted:
            yield f"{key}: expected {wanted}, which {description.source} fixes, but got {got}"


def _depth(cfg: CfgNode, depths: tuple[int, ...], pathways: int) -> Iterator[str]:
    if cfg.RESNET.DEPTH not in depths:
        listed = ", ".join(map(str, depths[:-1]))
        yield f"RESNET.DEPTH: expected {listed} or {depths[-1]}, but got {cfg.RESNET.DEPTH}"
    wrong = False
    for key in ("NUM_BLOCK_TEMP_KERNEL", "SPATIAL_STRIDES", "SPATIAL_DILATIONS"):
        if not _is_table(cfg.RESNET[key]):
            wrong = True
            yield (
                f"RESNET.{key}: expected a list of whole numbers for each of four stages, one per "
                f"pathway, such as {[[3 if 'BLOCK' in key else 1] * pathways] * 4}, but got "
                f"{cfg.RESNET[key]}"
            )
    blocks = cfg.RESNET.NUM_BLOCK_TEMP_KERNEL
    if not wrong and cfg.RESNET.DEPTH == 18 and max(n for row in blocks for n in row) > 2:
        yield (
            "RESNET.DEPTH 18 has 2 blocks a stage; set RESNET.NUM_BLOCK_TEMP_KERNEL to "
            f"{[[2] * pathways] * 4}"
        )


def _is_table(value: Any) -> bool:
    """Returns whether a value has four rows of whole numbers, none empty."""
    rows = isinstance(value, (list, tuple)) and len(value) == 4
    return rows and all(
        isinstance(row, (list, tuple)) and row and all(map(_is_whole, row)) for row in value
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
