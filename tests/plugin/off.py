"""Trains in SlowFast's own loop without the plugin, installs it, and trains again with BIAS off.

Run by test_plugin.py in a process of its own: `off.py CHECKOUT FOLDER`; prints two digests.
"""

import contextlib
import hashlib
import importlib
import random
import sys
from pathlib import Path

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.host.main import stand_ins
from slowfast_bias.host.stand_ins import standing_in

checkout, folder = sys.argv[1:]
sys.path[:0] = [checkout, f"{checkout}/tools"]
WORDS = [
    "TRAIN.DATASET", "noise", "TRAIN.BATCH_SIZE", 4, "TRAIN.EVAL_PERIOD", 1,
    "TRAIN.CHECKPOINT_PERIOD", 1, "TEST.ENABLE", False, "DATA.NUM_FRAMES", 4,
    "DATA.TRAIN_CROP_SIZE", 32, "DATA.INPUT_CHANNEL_NUM", [3], "RESNET.DEPTH", 18,
    "RESNET.WIDTH_PER_GROUP", 8, "RESNET.NUM_BLOCK_TEMP_KERNEL", [[2], [2], [2], [2]],
    "MODEL.ARCH", "slow", "MODEL.MODEL_NAME", "ResNet", "MODEL.NUM_CLASSES", 8,
    "MODEL.DROPOUT_RATE", 0.5, "SOLVER.MAX_EPOCH", 2, "SOLVER.BASE_LR", 0.05,
    "BN.USE_PRECISE_STATS", True, "DATA_LOADER.NUM_WORKERS", 0, "DATA_LOADER.PIN_MEMORY", False,
    "NUM_GPUS", 0, "RNG_SEED", 3, "LOG_MODEL_INFO", False,
]  # fmt: skip


class Noise(torch.utils.data.Dataset):
    """Clips of noise."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.seed = 100 * (split == "val")

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple:
        generator = torch.Generator().manual_seed(self.seed + index)
        return [torch.randn(3, 4, 32, 32, generator=generator)], index, index, 0, {}


def digest(train: object, output: str) -> str:
    """Returns what stands for the weights and the optimiser's state after a training."""
    from slowfast.config.defaults import get_cfg
    from slowfast.datasets.build import DATASET_REGISTRY

    if "Noise" not in DATASET_REGISTRY:
        DATASET_REGISTRY.register(Noise)
    cfg = get_cfg()
    cfg.merge_from_list([*WORDS, "OUTPUT_DIR", output])
    Path(output, "checkpoints").mkdir(parents=True)
    random.seed(0)
    with contextlib.redirect_stdout(sys.stderr):
        train(cfg)
    saved = torch.load(f"{output}/checkpoints/checkpoint_epoch_00002.pyth", weights_only=True)
    momenta = [state["momentum_buffer"] for state in saved["optimizer_state"]["state"].values()]
    found = hashlib.sha256()
    for tensor in [*saved["model_state"].values(), *momenta]:
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()


if not torch.cuda.is_available():
    torch.cuda.synchronize = lambda device=None: None  # SlowFast calls it after each step
with standing_in({**stand_ins(), "torch.utils.tensorboard": {}}):
    tools = importlib.import_module("train_net")
print(digest(tools.train, f"{folder}/without"))

assert "slowfast_bias.plugin" not in sys.modules
del sys.modules["train_net"], tools  # or the plugin says that it comes too late
plugin = importlib.import_module("slowfast_bias.plugin")
tools = importlib.import_module("vision.fair.slowfast.tools.train_net")
assert tools.ValMeter.__name__ == "BiasValMeter"
print(digest(tools.train, f"{folder}/with"))
