"""What a network is given of a batch, written out by hand: the reference for the engine's own."""

from __future__ import annotations

import contextlib
import os
import shutil

import pytest
import torch

from slowfast_bias import engine, host

# Over four seeds 97 to 100 %, 76 to 100 % (chance 25 %) and 92 to 100 % (chance 50 %) of the clips.
TOY_EPOCHS = {"SLOW_texture": 3, "SLOW_motion": 4, "SLOW_noise": 2}


@pytest.fixture(autouse=True)
def drafts(draft_figures):
    """Drawing would take longer than what these tests are about."""


@pytest.fixture(scope="session")
def trained_toy(tmp_path_factory):
    """A function (name, *options): the config of a toy network, trained once in a session."""
    folders, place = {}, tmp_path_factory.getbasetemp()
    ours = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place  # of all its processes

    def config(name, *options):
        first = name not in folders
        out = folders.setdefault(name, str(tmp_path_factory.mktemp(name) / "run"))
        words = ["OUTPUT_DIR", out, "SOLVER.MAX_EPOCH", TOY_EPOCHS[name], "NUM_GPUS", 0]
        if first and (ours / f"trained {name}").exists():
            shutil.copytree(ours / f"trained {name}", out)
        elif first:
            engine.train(engine.load_cfg(f"configs/Toy/{name}.yaml", words))
            shutil.copytree(out, f"{out} for others")
            with contextlib.suppress(OSError):  # two that did it at once
                os.rename(f"{out} for others", ours / f"trained {name}")
        return engine.load_cfg(f"configs/Toy/{name}.yaml", [*words, *options])

    return config


@pytest.fixture
def packed():
    """A function: the pathways of a batch of our own data sets, from its uint8 frames."""

    def pack(cfg, batch):
        (clips,) = batch.inputs
        assert clips.dtype == torch.uint8 and clips.shape[-1] == 3
        planes = (clips.float() / 255 - torch.tensor(cfg.DATA.MEAN)) / torch.tensor(cfg.DATA.STD)
        return host.pack_batch(cfg, planes.permute(0, 4, 1, 2, 3).contiguous())

    return pack
