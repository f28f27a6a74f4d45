"""What the files of a Hugging Face folder say of its network: JSON alone, no code of anybody's.

describe("vivit-b-16x2-kinetics400").values    # {"DATA.NUM_FRAMES": 32, "DATA.MEAN": ...}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slowfast_bias.errors import RequestError
from slowfast_bias.host.own_networks import Description
from slowfast_bias.models.networks.huggingface_folders import FOLDER, find_folder, read_json
from slowfast_bias.models.networks.huggingface_kinds import KINDS, Kind
from slowfast_bias.models.networks.huggingface_processors import (
    find_processor,
    normalisation,
    short_side,
)


def describe(folder: str, download: bool = False, wanted: str = "") -> Description:
    """Returns what a folder says of its network; RequestError if it is none that can be built.

    Args:
        folder: where config.json is; see `find_folder`.
        download: whether `folder` may be an id of the Hugging Face hub.
        wanted: the only `model_type` that will do; "" for any.
    """
    path = find_folder(folder, download)
    config, (processor, source) = read_config(path), find_processor(path)
    if wanted and config["model_type"] != wanted:
        got = KINDS[config["model_type"]].title
        raise RequestError(
            f"{FOLDER}: expected a {KINDS[wanted].title}, as BIAS.HF.KIND says, but {path} holds a "
            f"{got}. Take the config of {got} in configs/HF, whose clips are sampled for it"
        )
    kind = KINDS[config["model_type"]]
    side = _side(path, config, kind)
    short = max(side, short_side(processor) or int(side * kind.margin))
    mean, std = normalisation(processor, kind)
    values = {
        "DATA.NUM_FRAMES": config.get(*kind.frames),
        "DATA.TRAIN_CROP_SIZE": side,
        "DATA.TEST_CROP_SIZE": side,
        "DATA.TRAIN_JITTER_SCALES": [short, short * 5 // 4],  # the ratio of 256 and 320
        "DATA.MEAN": mean,
        "DATA.STD": std,
        "MODEL.DROPOUT_RATE": 0.0,  # their classifiers have none
    }
    if has_classifier(config):
        labels = config.get("id2label")  # left out if it is transformers' default of 2
        values["MODEL.NUM_CLASSES"] = len(labels) if labels else config.get("num_labels", 2)
    frames = () if kind.any_frames else ("DATA.NUM_FRAMES",)
    return Description(
        source=str(path / "config.json"),
        values=values,
        fixed=("DATA.TRAIN_CROP_SIZE", "DATA.TEST_CROP_SIZE", *frames),
        notes=() if source else (
            f"{path} has no preprocessor_config.json: DATA.MEAN and DATA.STD, if not given, are "
            f"the defaults of {kind.title}",
        ),
    )  # fmt: skip


def read_config(path: Path) -> dict[str, Any]:
    """Returns config.json of a folder; RequestError if its network is none that can be built."""
    config = read_json(path / "config.json") or {}
    kind = KINDS.get(config.get("model_type", ""))
    if kind is None:
        known = ", ".join(f"{kind.title} ({name})" for name, kind in KINDS.items())
        raise RequestError(
            f"{FOLDER}: expected a video network, one of {known}, but {path / 'config.json'} has "
            f"the `model_type` {config.get('model_type')!r}"
        )
    if "auto_map" in config:
        raise RequestError(
            f"{FOLDER}: expected a {kind.title} of transformers, but {path / 'config.json'} names "
            "code of its own (`auto_map`), which is never run here; if its weights are of the "
            "plain network, delete that entry"
        )
    if config.get("attention_type") == "space_only":
        raise RequestError(
            f"{FOLDER}: {path / 'config.json'} is a {kind.title} with `attention_type` space_only, "
            "which transformers computes differently from its authors: it classifies frames, not "
            "clips. Take divided_space_time or joint_space_time"
        )
    return config


def has_classifier(config: Mapping[str, Any]) -> bool:
    """Returns whether weights beside a config.json have a classifier, by the class it names."""
    return any("ForVideoClassification" in name for name in config.get("architectures") or ())


def _side(path: Path, config: Mapping[str, Any], kind: Kind) -> int:
    side = config.get(*kind.side)
    sides = set(side) if isinstance(side, list) else {side}
    if len(sides) > 1:
        raise RequestError(
            f"{FOLDER}: expected a network of square clips, but {path / 'config.json'} has "
            f"`{kind.side[0]}` {side}"
        )
    return sides.pop()
