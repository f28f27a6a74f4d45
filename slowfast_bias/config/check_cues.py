"""Checks of the cue benchmarks' keys; what is in their lists is read later."""

from __future__ import annotations

from collections.abc import Iterator

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

TOY = "toy"  # in place of a list: the toy world makes the benchmark
DYNAMIC, STATIC = "dynamic_testlist01.txt", "static_testlist01.txt"  # the lists of ConflFG
HAT_FOLDERS = ("ori", "seg", "inp")


def cues(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the keys of the cue benchmarks, one sentence each."""
    keys = cfg.BIAS.BEHAVIOUR
    for name in ("SCUBA", "SCUFO", "CONFLFG"):
        path, prefix, key = keys[name], keys[f"{name}_PREFIX"], f"BIAS.BEHAVIOUR.{name}"
        if name != "CONFLFG" and path not in ("", TOY) and not g_pathmgr.isfile(path):
            yield f"{key}: expected a list `folder num_frames label`, but {path!r} is no file"
        if prefix and path in ("", TOY):
            yield f"{key}_PREFIX {prefix!r}: expected a list in {key}, but got {path!r}"
        elif prefix and not g_pathmgr.isdir(prefix):
            yield f"{key}_PREFIX: expected a folder, but {prefix!r} is none"
    if keys.SCUFO == TOY:
        yield "BIAS.BEHAVIOUR.SCUFO toy: leave it empty; it is made of what SCUBA toy shows"
    yield from _conflfg(keys.CONFLFG)
    yield from _toy(cfg)
    yield from _hat(keys)


def _conflfg(folder: str) -> Iterator[str]:
    lists = (DYNAMIC, STATIC) if folder not in ("", TOY) else ()
    missing = [name for name in lists if not g_pathmgr.isfile(f"{folder}/{name}")]
    if missing:
        yield (
            f"BIAS.BEHAVIOUR.CONFLFG: expected {DYNAMIC} and {STATIC} in {folder!r}, but "
            f"{' and '.join(missing)} cannot be found"
        )


def _toy(cfg: CfgNode) -> Iterator[str]:
    asked = [name for name in ("SCUBA", "CONFLFG") if cfg.BIAS.BEHAVIOUR[name] == TOY]
    if asked and cfg.TEST.DATASET.lower() != "toyvideos":
        yield (
            f"BIAS.BEHAVIOUR.{asked[0]} toy: expected TEST.DATASET toyvideos, but got "
            f"{cfg.TEST.DATASET!r}; name a list"
        )
    elif asked and cfg.BIAS.TOY.MOTION == "noise2":
        yield f"BIAS.BEHAVIOUR.{asked[0]} toy: BIAS.TOY.MOTION noise2 has no background; unset it"
    elif "CONFLFG" in asked and (cfg.MODEL.NUM_CLASSES, cfg.BIAS.TOY.MOTION) != (4, "orbit4"):
        yield (
            "BIAS.BEHAVIOUR.CONFLFG toy: expected as many motions as textures, and one class for "
            "each number (BIAS.TOY.MOTION orbit4, MODEL.NUM_CLASSES 4), but got "
            f"{cfg.BIAS.TOY.MOTION} and {cfg.MODEL.NUM_CLASSES}; unset it"
        )


def _hat(keys: CfgNode) -> Iterator[str]:
    if not keys.HAT:
        if keys.HAT_LIST or keys.HAT_SWAP:
            yield "BIAS.BEHAVIOUR.HAT_LIST and HAT_SWAP: set BIAS.BEHAVIOUR.HAT to the folder, too"
        return
    missing = [name for name in HAT_FOLDERS if not g_pathmgr.isdir(f"{keys.HAT}/{name}")]
    if missing:
        yield (
            f"BIAS.BEHAVIOUR.HAT: expected the folders {', '.join(HAT_FOLDERS)} in {keys.HAT!r}, "
            f"but it has no {', '.join(missing)}"
        )
    if not g_pathmgr.isfile(keys.HAT_LIST):
        yield (
            "BIAS.BEHAVIOUR.HAT_LIST: expected the list of BIAS.BEHAVIOUR.HAT, but "
            f"{keys.HAT_LIST!r} is no file"
        )
    if keys.HAT_SWAP and not g_pathmgr.isfile(keys.HAT_SWAP):
        yield (
            f"BIAS.BEHAVIOUR.HAT_SWAP: expected a pickle or JSON, but {keys.HAT_SWAP!r} is no file"
        )
