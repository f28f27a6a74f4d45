"""What the files of a Hugging Face folder say of its network: JSON alone, no code of anybody's.

    describe("vivit-b-16x2-kinetics400").values    # {"DATA.NUM_FRAMES": 32, "DATA.MEAN": ...}

Clips are in [0, 1] here and become (x - mean) / std; what a processor does to bytes (rescale,
offset, normalise) is written as such a mean and std.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slowfast_bias.errors import RequestError
from slowfast_bias.host.own_networks import Description

FOLDER, DOWNLOAD = "BIAS.HF.FOLDER", "BIAS.HF.DOWNLOAD"

_HALF = (0.5, 0.5, 0.5)
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The first one that is there counts. The last one holds several processors.
_PROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json")
_TOGETHER = "processor_config.json"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True)
class Kind:
    """One `model_type`; values that config.json or the processor's file leaves out are these.

    Attributes:
        title: what people call it.
        frames: key of the number of frames, and its default.
        side: key of the side of a clip in pixels, and its default.
        mean: subtracted by its processor.
        std: what it then divides by.
        rescale: what its processor multiplies bytes by.
        offset: what it then subtracts.
        margin: short side of a video over the side of a clip.
        any_frames: whether it takes other numbers of frames.
        normalises: whether its processor normalises, whatever a file says; None: as that says.
    """

    title: str
    frames: tuple[str, int]
    side: tuple[str, int] = ("image_size", 224)
    mean: tuple[float, ...] = _HALF
    std: tuple[float, ...] = _HALF
    rescale: float = 1 / 255
    offset: float = 0.0
    margin: float = 1.0
    any_frames: bool = False
    normalises: bool | None = None


KINDS = {
    "timesformer": Kind("TimeSformer", ("num_frames", 8), mean=_IMAGENET[0], std=_IMAGENET[1]),
    "videomae": Kind("VideoMAE", ("num_frames", 16)),
    "vivit": Kind("ViViT", ("num_frames", 32), rescale=1 / 127.5, offset=1.0, margin=256 / 224),
    "vjepa2": Kind(
        "V-JEPA 2", ("frames_per_clip", 64), ("crop_size", 256), *_IMAGENET, margin=256 / 224,
        any_frames=True,  # positions are rotations: any number of them
    ),
    "videoprism_vision_model": Kind(
        "VideoPrism", ("num_frames", 16), ("image_size", 288), normalises=False
    ),
}  # fmt: skip


def describe(folder: str, download: bool = False) -> Description:
    """Returns what a folder says of its network; RequestError if it is none that can be built."""
    path = find_folder(folder, download)
    config, (processor, source) = read_config(path), _processor(path)
    kind = KINDS[config["model_type"]]
    side = _side(path, config, kind)
    short = max(side, _short(processor) or int(side * kind.margin))
    mean, std = _normalisation(processor, kind)
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


def find_folder(folder: str, download: bool = False, weights: bool = False) -> Path:
    """Returns the folder on this machine that has config.json; RequestError if there is none.

    Nothing is fetched over the network unless `download`.

    Args:
        folder: its path, or with `download` the id of a repository of the Hugging Face hub.
        download: whether `folder` may be such an id.
        weights: whether to fetch weights too, not only JSON.
    """
    if not folder:
        raise RequestError(
            f"{FOLDER}: expected the folder of config.json and weights of a network, as "
            "`save_pretrained` writes it or as it is downloaded, but got ''"
        )
    if not Path(folder).is_dir() and download:
        return _downloaded(folder, _WEIGHTS if weights else ("*.json",))
    if not (Path(folder) / "config.json").is_file():
        what = "it has no config.json" if Path(folder).is_dir() else "there is no such folder"
        raise RequestError(
            f"{FOLDER}: expected a folder with the config.json of a network, but got {folder!r}: "
            f"{what}. For a repository of the Hugging Face hub set {DOWNLOAD} True, or download it"
        )
    return Path(folder)


def read_config(path: Path) -> dict[str, Any]:
    """Returns config.json of a folder; RequestError if its network is none that can be built."""
    config = _read(path / "config.json") or {}
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


def _downloaded(name: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        for pattern in patterns:  # files of the second kind only if there are none of the first
            path = Path(snapshot_download(name, allow_patterns=["*.json", pattern]))
            if any(path.glob(pattern)):
                break
    except Exception as error:  # the hub's own, of its http client, or of the file system
        why = " ".join(str(error).split())[:200]
        raise RequestError(
            f"{FOLDER}: expected a folder, or a repository of the Hugging Face hub, but {name!r} "
            f"is no folder here and cannot be downloaded: {type(error).__name__}: {why}"
        ) from error
    return find_folder(str(path))


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(
            f"{FOLDER}: expected JSON in {path}, but it cannot be read ({error}); copy it again"
        ) from error
    if not isinstance(found, dict):
        raise RequestError(f"{FOLDER}: expected {{...}} in {path}, but got {type(found).__name__}")
    return found


def _processor(path: Path) -> tuple[dict[str, Any], str]:
    """Returns what a folder says of preparing clips, and the file that says so; {}, "" if none."""
    for name in _PROCESSORS:
        if (found := _read(path / name)) is not None:
            return found, name
    together = _read(path / _TOGETHER) or {}
    for part in ("video_processor", "image_processor"):
        if part in together:
            return together[part], _TOGETHER
    return {}, ""


def _side(path: Path, config: Mapping[str, Any], kind: Kind) -> int:
    side = config.get(*kind.side)
    sides = set(side) if isinstance(side, list) else {side}
    if len(sides) > 1:
        raise RequestError(
            f"{FOLDER}: expected a network of square clips, but {path / 'config.json'} has "
            f"`{kind.side[0]}` {side}"
        )
    return sides.pop()


def _short(processor: Mapping[str, Any]) -> int:
    """Returns the short side to which videos are resized; 0 if it is not said."""
    size = processor.get("size") or {}
    if isinstance(size, int):
        return size
    return size.get("shortest_edge") or size.get("height") or 0


def _normalisation(processor: Mapping[str, Any], kind: Kind) -> tuple[list[float], list[float]]:
    """Returns mean and std for clips in [0, 1].

    A processor makes ((255 x) * rescale - offset - mean) / std of x.
    """
    scale, offset = 1.0, 0.0
    if _said(processor, "do_rescale", True):
        scale = _said(processor, "rescale_factor", kind.rescale)
        offset = kind.offset if _said(processor, "offset", bool(kind.offset)) else 0.0
    normalises = kind.normalises
    if normalises is None:
        normalises = _said(processor, "do_normalize", True)
    mean = _said(processor, "image_mean", kind.mean) if normalises else 0.0
    std = _said(processor, "image_std", kind.std) if normalises else 1.0
    return (
        [round((x + offset) / (255 * scale), 6) for x in _three(mean)],
        [round(x / (255 * scale), 6) for x in _three(std)],
    )


def _said(processor: Mapping[str, Any], key: str, default: Any) -> Any:
    value = processor.get(key)
    return default if value is None else value


def _three(values: Any) -> tuple[float, ...]:
    return tuple(values) if isinstance(values, (list, tuple)) else (values,) * 3
