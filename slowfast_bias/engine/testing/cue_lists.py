"""The lists of the cue benchmarks: how each is opened, and what must hold of them.

A benchmark is the test list of another config: another list with the same frames and crops, or the
toy world changed. So `vote` runs it as any other.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

import torch
from fvcore.common.config import CfgNode

import slowfast_bias.datasets.benchmarks.hat_clips  # noqa: F401  only registration
from slowfast_bias.config.check_cues import DYNAMIC, STATIC, TOY
from slowfast_bias.datasets.contract import VideoDataset, open_dataset
from slowfast_bias.datasets.lists.files import Video
from slowfast_bias.datasets.lists.video_names import is_picture, is_video
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.errors import DataError

_SHOWN = 5  # names in an error
HAT_TESTS = {
    "hat_background_only": ("videos", "inp"),
    "hat_human_only": ("humanonlyvideos", "ori"),
    "hat_action_swap": ("actionswapvideos", "ori"),
}  # the data set of each, and the folder that its list's rows begin in


def cue_lists(cfg: CfgNode) -> list[str]:
    """Returns what the cue benchmarks of a config read, after a check; nothing is decoded.

    Raises DataError if a list cannot be used, if a SCUBA or SCUFO video has no partner, if the
    lists of ConflFG do not belong together, or if a background of HAT is missing.
    """
    keys, opened = cfg.BIAS.BEHAVIOUR, []
    if keys.SCUBA:
        opened.append(open_list(scuba(cfg)))
    if keys.SCUFO:
        opened.append(open_list(scufo(cfg)))
    if keys.SCUBA and keys.SCUFO:
        partners(*opened)
    if keys.CONFLFG:
        opened.append(open_list(conflfg(cfg)))
        static_classes(cfg, opened[-1])
    opened += [open_list(hat(cfg, name)) for name in hat_tests(cfg)]
    return list(dict.fromkeys(name_of(data) for data in opened))


def open_list(cfg: CfgNode) -> VideoDataset:
    """Returns the data set of a benchmark's config."""
    return open_dataset(cfg.TEST.DATASET, cfg, "test")


def name_of(data: VideoDataset) -> str:
    """Returns the file of a list; "toy" for the toy world's."""
    return data.about().get("list", TOY)


def scuba(cfg: CfgNode) -> CfgNode:
    """Returns the config whose test list is SCUBA."""
    keys = cfg.BIAS.BEHAVIOUR
    if keys.SCUBA == TOY:
        return _changed(cfg, {"BIAS.TOY.NEW_BACKGROUND": True})
    return _listed(cfg, keys.SCUBA, keys.SCUBA_PREFIX)


def scufo(cfg: CfgNode) -> CfgNode:
    """Returns the config whose test list is SCUFO, if it has a list of its own."""
    return _listed(cfg, cfg.BIAS.BEHAVIOUR.SCUFO, cfg.BIAS.BEHAVIOUR.SCUFO_PREFIX)


def conflfg(cfg: CfgNode) -> CfgNode:
    """Returns the config whose test list is ConflFG, labelled by what moves."""
    keys = cfg.BIAS.BEHAVIOUR
    if keys.CONFLFG == TOY:
        return _changed(cfg, {"BIAS.TOY.CUE_CONFLICT": True, "BIAS.TOY.LABELS": "dynamic"})
    return _listed(cfg, f"{keys.CONFLFG}/{DYNAMIC}", keys.CONFLFG_PREFIX)


def hat_tests(cfg: CfgNode) -> list[str]:
    """Returns the tests of HAT that a config asks for."""
    keys = cfg.BIAS.BEHAVIOUR
    if not keys.HAT:
        return []
    return [name for name in HAT_TESTS if name != "hat_action_swap" or keys.HAT_SWAP]


def hat(cfg: CfgNode, test: str) -> CfgNode:
    """Returns the config whose test list is one of the tests of HAT."""
    dataset, folder = HAT_TESTS[test]
    root = cfg.BIAS.BEHAVIOUR.HAT.rstrip("/")
    return _listed(cfg, cfg.BIAS.BEHAVIOUR.HAT_LIST, f"{root}/{folder}", dataset)


def partners(scuba_list: VideoDataset, scufo_list: VideoDataset) -> list[int]:
    """Returns the number of the SCUFO video of each SCUBA video, which has its name and class."""
    ours, theirs = _names(scuba_list), _names(scufo_list)
    where = f"of {name_of(scuba_list)} and of {name_of(scufo_list)}"
    lone = {
        "SCUFO": [name for name in ours if name not in theirs],
        "SCUBA": [name for name in theirs if name not in ours],
    }
    if any(lone.values()):
        lacks = " and ".join(
            f"{len(names)} have no {kind} partner ({', '.join(names[:_SHOWN])}"
            f"{', ...' if names[_SHOWN:] else ''})"
            for kind, names in lone.items()
            if names
        )
        raise DataError(
            f"Expected each video {where} in both under one name, but {lacks}. Complete the "
            "lists, take the rows off, or leave BIAS.BEHAVIOUR.SCUFO empty: then it is made of "
            "SCUBA."
        )
    pairs = [theirs[name] for name in ours]
    for name, i, j in zip(ours, ours.values(), pairs, strict=True):
        if scuba_list.target(i) != scufo_list.target(j):
            raise DataError(
                f"Expected one class for {name} {where}, but got {scuba_list.target(i)} and "
                f"{scufo_list.target(j)}."
            )
    return pairs


def static_classes(cfg: CfgNode, data: VideoDataset) -> torch.Tensor:
    """Returns (V,) the class of what stands still in each video of ConflFG."""
    if isinstance(data, Toyvideos):
        return torch.tensor([data.world.factors(i).texture for i in range(len(data.world))])
    keys = cfg.BIAS.BEHAVIOUR
    other = open_list(_listed(cfg, f"{keys.CONFLFG}/{STATIC}", keys.CONFLFG_PREFIX))
    _check_rows(data.list.videos, other.list.videos, keys.CONFLFG)
    return torch.tensor([video.label for video in other.list.videos])


def _check_rows(dynamic: Sequence[Video], static: Sequence[Video], folder: str) -> None:
    lists = f"{DYNAMIC} and {STATIC} of {folder}"
    if len(dynamic) != len(static):
        raise DataError(
            f"Expected the same rows in {lists}, but got {len(dynamic)} and {len(static)}."
        )
    for a, b in zip(dynamic, static, strict=True):
        if a.path != b.path:
            raise DataError(
                f"Expected the same folder in {a.row} of {lists}, but got {a.path} and {b.path}."
            )
        if a.label == b.label:
            raise DataError(
                f"Expected two classes for {a.path} ({a.row}) in {lists}, but both have {a.label}: "
                "then nothing is in conflict."
            )


def _names(data: VideoDataset) -> dict[str, int]:
    """Returns {name of a video in its list, without the ending of a file: its number}."""
    cfg, found = data.cfg.DATA, {}
    folder = cfg.PATH_PREFIX or cfg.PATH_TO_DATA_DIR
    for number, video in enumerate(data.list.videos):
        name = posixpath.relpath(video.path, folder)
        if is_video(name) or is_picture(name) or name.lower().endswith(".zip"):
            name = name.rpartition(".")[0]
        if name in found:
            raise DataError(f"Expected one video {name} in {name_of(data)}, but it has two.")
        found[name] = number
    return found


def _listed(cfg: CfgNode, file: str, prefix: str, dataset: str = "videos") -> CfgNode:
    """Returns a config whose test list is a file `folder num_frames label`."""
    folder, _, name = file.rpartition("/")
    return _changed(
        cfg,
        {
            "TEST.DATASET": dataset,
            "BIAS.DATA.FORMAT": "rawframes",
            "BIAS.DATA.LISTS": [name] * 3,
            "DATA.PATH_TO_DATA_DIR": folder or ".",
            "DATA.PATH_PREFIX": prefix,
        },
    )


def _changed(cfg: CfgNode, values: dict[str, Any]) -> CfgNode:
    other = cfg.clone()
    other.defrost()
    for key, value in values.items():
        *sections, name = key.split(".")
        node = other
        for section in sections:
            node = node[section]
        node[name] = value
    other.freeze()
    return other
