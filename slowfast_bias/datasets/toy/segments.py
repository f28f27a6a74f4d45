"""Toysegments: the toy world of moving objects as a data set, with exact flow.

Its keys are BIAS.TOY.CUE, SEED and NUM_*; an item is the middle one of a scene's three frames, of
BIAS.SEGMENTS.SIZE, which is square. The recording is the scene.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias.datasets.contract import Sample, register_dataset
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.segments.dataset import FLOW, IMAGES
from slowfast_bias.datasets.segments.sizes import frame_size
from slowfast_bias.datasets.segments.truth import NO_BOX, Truth
from slowfast_bias.datasets.toy.camouflage import SegmentWorld
from slowfast_bias.errors import DataError

FRAMES = 3  # of a scene: the first and the last of a sequence do not count


@register_dataset
class Toysegments(Dataset):
    """Scenes of a `SegmentWorld`."""

    views = 1

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.split = split
        toy, (height, width) = cfg.BIAS.TOY, frame_size(cfg)
        if height != width:
            raise DataError(
                f"Expected a square BIAS.SEGMENTS.SIZE for toy scenes, but got {height} x {width}."
            )
        number = {"train": toy.NUM_TRAIN, "val": toy.NUM_VAL, "test": toy.NUM_TEST}[split]
        try:
            self.world = SegmentWorld(toy.CUE, height, toy.SEED, split, number)
        except ValueError as error:
            raise DataError(f"Toysegments, BIAS.TOY and BIAS.SEGMENTS: {error}") from error
        self.times = range(cfg.DATA.NUM_FRAMES)
        self.directions = (False, True) if cfg.BIAS.SEGMENTS.BACKWARD else (False,)
        self.streams = (IMAGES, *(FLOW for _ in self.directions))

    def __len__(self) -> int:
        return len(self.world)

    def sample(self, index: int) -> Sample:
        """Returns a scene: image, flow, both uint8 (T, H, W, 3), and its `Truth`."""
        flows = [
            np.stack([coded(self.world.flow(index, time, backward)) for time in self.times])
            for backward in self.directions
        ]
        inputs = (self.clip(index), *map(torch.from_numpy, flows))
        truth = self.target(index)
        if self.split == "train" and len(self.times) > 1:
            masks = [torch.from_numpy(self.world.mask(index, time)) for time in self.times[1:]]
            truth = truth._replace(others=torch.stack(masks))
        return Sample(inputs, truth, index)

    def clip(self, video: int) -> torch.Tensor:
        """Returns the images of a scene, uint8 (T, H, W, 3)."""
        return torch.from_numpy(np.stack([self.world.image(video, time) for time in self.times]))

    def target(self, video: int) -> Truth:
        """Returns the truth of a scene."""
        mask, size = torch.from_numpy(self.world.mask(video)), (self.world.size,) * 2
        return Truth(mask, NO_BOX, size, f"scene {video}", 1, FRAMES, "00001")

    def describe(self, index: int) -> tuple[str, str]:
        """Returns the number of a scene, from which all of it is drawn."""
        return f"toy scene {index}", f"scene {index}"

    def about(self) -> dict[str, Any]:
        """Returns {}: the config has it all."""
        return {}
