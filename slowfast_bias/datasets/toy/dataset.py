"""Toyvideos: the toy world behind SlowFast's dataset interface, registered with the host.

Its keys are BIAS.TOY; a clip has DATA.NUM_FRAMES frames of DATA.TRAIN_CROP_SIZE pixels
(TEST_CROP_SIZE in the test list).
"""

from __future__ import annotations

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias import host
from slowfast_bias.datasets.sampling.crops import normalised_planes
from slowfast_bias.datasets.toy.world import ToyWorld
from slowfast_bias.errors import DataError


@host.register_dataset
class Toyvideos(Dataset):
    """Clips of a `ToyWorld`, normalised and packed into pathways; all test views are alike."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        toy, self.cfg = cfg.BIAS.TOY, cfg
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

    def clip(self, video: int) -> torch.Tensor:
        """The frames of a video as they are, uint8 (T, H, W, 3)."""
        return self.world.clip(video)

    def label(self, video: int) -> int:
        """The class of a video."""
        return self.world.label(video)

    def __getitem__(self, index: int) -> tuple[list[torch.Tensor], int, int, dict]:
        """Pathways [(C, T, H, W), ...], label, index and an empty dict, as SlowFast's datasets."""
        video = index // self.views
        planes = normalised_planes(self.clip(video), self.cfg.DATA.MEAN, self.cfg.DATA.STD)
        return host.pack_pathways(self.cfg, planes), self.label(video), index, {}


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
        num_clips={"train": toy.NUM_TRAIN, "val": toy.NUM_VAL, "test": toy.NUM_TEST}[split],
    )
