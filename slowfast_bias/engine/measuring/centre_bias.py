"""Centre bias: the mean mask of a list, and how much of the objects is in the middle (Fig. 8).

It is of the truth alone: no network is asked. Frames of other sizes are brought to that of the
first one; boxes count as masks if frames have no others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias.paired import mean_interval
from slowfast_bias.datasets.contract import VideoDataset, open_dataset
from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.segments.truth import Truth
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.errors import DataError
from slowfast_bias.metrics import central_share, centroid, fixed_mask
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

log = logging.getLogger(__name__)

KIND = "centre_bias"
TALL = 60  # rows of the map in a result file, at most


@dataclass
class _Sums:
    """What is added up over frames, all in the size of the first one."""

    size: tuple[int, int] = (0, 0)
    mask: np.ndarray | None = None
    image: np.ndarray | None = None
    small: list[np.ndarray] = field(default_factory=list)  # of the map's size
    inside: dict[str, list[float]] = field(default_factory=dict)  # sequence -> central shares
    unreadable: dict[int, str] = field(default_factory=dict)


def centre_bias(cfg: CfgNode) -> dict[str, Any]:
    """Writes `centre.{json,png,yaml}` of the list BIAS.MASKS.CENTRE; returns what they hold."""
    split = cfg.BIAS.MASKS.CENTRE
    name = cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET
    dataset, sums = open_dataset(name, cfg, split), _Sums()
    for truth, image in _frames(dataset, sums):
        _add(sums, truth, image)
    if not sums.small:
        raise DataError(
            f"Expected frames with an object in the {split} list of {name}, but there are none. "
            "Take a list with masks or boxes."
        )
    outputs, found = Outputs(cfg.OUTPUT_DIR), _result(sums)
    about = {"unreadable": len(sums.unreadable), **dataset.about()}
    meta = provenance(cfg, split, outputs.centre("yaml"), **about)
    if ranks.is_master():
        _write(cfg, outputs, meta, found)
    ranks.wait()
    return {**found, "meta": meta}


def _frames(dataset: VideoDataset, sums: _Sums) -> Iterator[tuple[Truth, np.ndarray]]:
    """Yields truth and image of every frame that can be read."""
    for video in progress(range(len(dataset)), len(dataset), "centre bias"):
        try:
            yield dataset.target(video), dataset.clip(video)[0].numpy()
        except VideoError as error:
            sums.unreadable[video] = str(error)
    if sums.unreadable:
        first = next(iter(sums.unreadable.values()))
        log.warning("%d frames could not be read, the first: %s", len(sums.unreadable), first)


def _add(sums: _Sums, truth: Truth, image: np.ndarray) -> None:
    mask = _mask(truth)
    if mask is None or not mask.any():
        return
    if sums.mask is None:
        sums.size = mask.shape
        sums.mask, sums.image = np.zeros(mask.shape), np.zeros((*mask.shape, 3))
    size = sums.size[::-1]
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    sums.mask += mask
    sums.image += cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(mask.astype(np.float32), _grid(sums.size), interpolation=cv2.INTER_AREA)
    sums.small.append(small >= 0.5)
    sums.inside.setdefault(truth.sequence, []).append(central_share(mask.astype(np.float64)))


def _mask(truth: Truth) -> np.ndarray | None:
    """Returns a mask of any object, uint8 (H, W), of a box if there is no mask; None if neither."""
    if truth.mask.numel():
        return (truth.mask.numpy() != 0).astype(np.uint8)
    if any(x != x for x in truth.box):  # NaN: no box
        return None
    mask = np.zeros(truth.size, np.uint8)
    left, top, right, bottom = (max(0, round(x)) for x in truth.box)
    mask[top:bottom, left:right] = 1
    return mask


def _grid(size: tuple[int, int]) -> tuple[int, int]:
    """Returns width and height of the map in a result file."""
    tall = min(TALL, size[0])
    return round(size[1] * tall / size[0]), tall


def _result(sums: _Sums) -> dict[str, Any]:
    frames, size = len(sums.small), _grid(sums.size)
    heat, image = sums.mask / frames, sums.image / frames
    central = torch.tensor([np.mean(x) for x in sums.inside.values()], dtype=torch.float64)
    score, threshold = fixed_mask(np.stack(sums.small))
    small = cv2.resize(heat, size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(image, size, interpolation=cv2.INTER_AREA).round().astype(int)
    return {
        "frames": frames,
        "sequences": len(sums.inside),
        "size": list(sums.size),
        "object_share": 100 * float(heat.mean()),
        "centroid": [100 * x for x in centroid(heat)],
        "central": 100 * float(central.mean()),
        "interval": mean_interval(100 * central, 0),
        "fixed_mask": {"J": 100 * score, "threshold": 100 * threshold},
        "map": [[round(100 * float(x), 2) for x in row] for row in small],
        "image": colours.tolist(),
    }


def _write(cfg: CfgNode, outputs: Outputs, meta: dict[str, Any], found: dict[str, Any]) -> None:
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.centre import centre_figure

    write_config(cfg, outputs.centre("yaml"))
    write_result(outputs.centre(), KIND, meta, found)
    save_figure(centre_figure({meta["data"]: found}), outputs.centre("png"))
    low, high = found["interval"]
    log.info(
        "%d frames of %d sequences of %s: %.1f %% [%.1f, %.1f] of the object in the middle quarter "
        "of the frame; the best fixed mask has J %.1f %%; %s",
        found["frames"], found["sequences"], meta["data"], found["central"], low, high,
        found["fixed_mask"]["J"], outputs.centre("png"),
    )  # fmt: skip
