"""SlowFast main's own YAML files: all load for measuring, but those of tasks that are not done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slowfast_bias import engine, host
from slowfast_bias.config import ConfigError

pytestmark = [pytest.mark.host, pytest.mark.host_main]

CONFIGS = Path(os.environ.get("SLOWFAST_MAIN", "/nowhere"), "configs")
FILES = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml"))
HERE = ["NUM_GPUS", 0, "NUM_SHARDS", 1]

# What a file of these names is about -> the problem that its error must name.
NOT_DONE = {
    "AVA/": "DETECTION.ENABLE True",
    "finetune_ava": "DETECTION.ENABLE True",
    "Charades/": "DATA.MULTI_LABEL True",
    "contrastive_ssl/BYOL": "ContrastiveModel",
    "contrastive_ssl/MoCo": "ContrastiveModel",
    "contrastive_ssl/SimCLR": "ContrastiveModel",
    "contrastive_ssl/SwAV": "ContrastiveModel",
    "_PT.yaml": "MASK.ENABLE True",
    "ImageNet/MVITv2_B.yaml": "not readable as YAML",  # the file itself is broken
}
# Files that the loop of this project cannot train as they stand.
NOT_TRAINED = ("MIXUP.ENABLE", "MULTIGRID", "AUG.NUM_SAMPLE", "CLEAR_NAME_PATTERN")


def refusal(file):
    found = [text for part, text in NOT_DONE.items() if part in file]
    if not found and "pytorchvideo/" in file and "ptv" not in host.capabilities:
        return "capability 'ptv'"
    return found[0] if found else None


def test_there_are_files():
    assert len(FILES) > 100


@pytest.mark.parametrize("file", FILES)
def test_every_file_loads_for_measuring_or_says_what_is_not_done(file):
    words, expected = ["TRAIN.ENABLE", False, *HERE], refusal(file)
    if expected is None:
        cfg = engine.load_cfg(CONFIGS / file, words)
        assert cfg.TRAIN.DATASET != "kinetics"
        return
    with pytest.raises(ConfigError) as caught:
        engine.load_cfg(CONFIGS / file, words)
    assert expected in str(caught.value)


@pytest.mark.parametrize("file", [file for file in FILES if refusal(file) is None])
def test_every_file_loads_for_training_or_names_what_our_loop_does_not(file):
    try:
        engine.load_cfg(CONFIGS / file, ["TRAIN.ENABLE", True, *HERE])
    except ConfigError as error:
        problems = "".join(error.problems)
        assert any(name in problems for name in NOT_TRAINED), problems


def test_more_rates_than_steps_are_named_and_the_file_trains(caplog):
    cfg = engine.load_cfg(CONFIGS / "SSv2/SLOWFAST_16x8_R50.yaml", ["TRAIN.ENABLE", True, *HERE])
    assert len(cfg.SOLVER.LRS) > len(cfg.SOLVER.STEPS)
    assert "no epoch uses" in caplog.text
    rates = [host.lr_at(epoch, cfg) for epoch in range(int(cfg.SOLVER.MAX_EPOCH))]
    assert min(rates) > 0


def test_a_network_without_pooling_over_time_is_the_2d_one_it_means():
    words = ["TRAIN.ENABLE", False, *HERE, "RESNET.WIDTH_PER_GROUP", 8]
    cfg = engine.load_cfg(CONFIGS / "Kinetics/c2/C2D_NOPOOL_8x8_R50.yaml", words)
    assert cfg.MODEL.MODEL_NAME == "ResNet"
    model = engine.build_network(cfg)
    sizes = {
        module.kernel_size[0]
        for module in model.modules()
        if hasattr(module, "kernel_size")
        and isinstance(module.kernel_size, (tuple, list))
        and len(module.kernel_size) == 3
    }
    assert sizes - {8} == {1}  # but for the pooling over all frames in the head
