"""What a network is given of a batch, written out by hand: the reference for the engine's own."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias import host


@pytest.fixture
def packed():
    """A function: the pathways of a batch of our own data sets, from its uint8 frames."""

    def pack(cfg, batch):
        (clips,) = batch.inputs
        assert clips.dtype == torch.uint8 and clips.shape[-1] == 3
        planes = (clips.float() / 255 - torch.tensor(cfg.DATA.MEAN)) / torch.tensor(cfg.DATA.STD)
        return host.pack_batch(cfg, planes.permute(0, 4, 1, 2, 3).contiguous())

    return pack
