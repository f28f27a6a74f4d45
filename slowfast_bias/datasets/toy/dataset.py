"""Toyvideos: the toy world as a data set.

Its keys are BIAS.TOY; a clip has DATA.NUM_FRAMES frames of DATA.TRAIN_CROP_SIZE pixels
(TEST_CROP_SIZE in the test list).
"""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias.datasets.contract import FRAMES, Sample, register_dataset
from slowfast_bias.datasets.host_items import HostItems
from slowfast_bias.datasets.toy.world import ToyWorld
from slowfast_bias.errors import DataError


@register_dataset
class Toyvideos(HostItems, Dataset):
    """Clips of a `ToyWorld`; all test views of a video are equal."""

    streams = FRAMES

    def __init__(self, cfg: CfgNode, split: str) -> None:
        toy, self.cfg, self.split = cfg.BIAS.TOY, cfg, split
        try:
            self.world = _world(cfg, split)
        except ValueError as error:
            raise DataError(f"Toyvideos, BIAS.TOY and DATA: {error}") from error
        if self.world.num_classes != cfg.MODEL.NUM_CLASSES:
            raise DataError(
                f"Expected MODEL.NUM_CLASSES {self.world.num_classes} for {toy.LABELS} labels of "
                f"{toy.MOTION}, but got {cfg.MODEL.NUM_CLASSES}."
            )
        self.views = (
            cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS if split == "test" else 1
        )

    def __len__(self) -> int:
        return len(self.world) * self.views

    def sample(self, index: int) -> Sample:
        """Returns the clip at a position, uint8 (T, H, W, 3)."""
        video = index // self.views
        return Sample((self.clip(video),), self.target(video), index)

    def clip(self, video: int) -> torch.Tensor:
        """Returns the frames of a video, uint8 (T, H, W, 3)."""
        return self.world.clip(video)

    def target(self, video: int) -> int:
        """Returns the class of a video."""
        return self.world.label(video)

    def describe(self, index: int) -> tuple[str, str]:
        """Returns the number of a clip's video, from which all of it is drawn."""
        return f"toy video {index // self.views}", f"clip {index}"

    def about(self) -> dict[str, Any]:
        """Returns {}: the config has it all."""
        return {}


def _world(cfg: CfgNode, split: str) -> ToyWorld:
    toy = cfg.BIAS.TOY
    return ToyWorld(
        size=cfg.DATA.TEST_CROP_SIZE if split == "test" else cfg.DATA.TRAIN_CROP_SIZE,
        frames=cfg.DATA.NUM_FRAMES,
        motion=toy.MOTION,
        labels=toy.LABELS,
        rho=toy.RHO,
        seed=toy.SEED,
        split=split,
        cue_conflict=toy.CUE_CONFLICT and split != "train",
        new_background=toy.NEW_BACKGROUND and split != "train",
        num_clips={"train": toy.NUM_TRAIN, "val": toy.NUM_VAL, "test": toy.NUM_TEST}[split],
    )
