"""What a training run continues from: its own last checkpoint, or weights that are given."""

from __future__ import annotations

import logging
import re

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias import host
from slowfast_bias.config.check_segmentation import STREAM_KEYS
from slowfast_bias.engine.runtime.log import parse_json
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.setup.network import check_colours, read_weights
from slowfast_bias.engine.training.learner import Learner
from slowfast_bias.models.weights.fit import load_optimizer, load_weights
from slowfast_bias.models.weights.readers import (
    CheckpointError,
    finished_epochs,
    read_checkpoint,
)
from slowfast_bias.models.weights.streams import fill_stream
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

_EPOCH = re.compile(r"(\d+)/\d+")


def start_from(cfg: CfgNode, learner: Learner) -> int:
    """Loads what the run continues from; returns the epoch it begins with (0-based)."""
    model = learner.model
    if cfg.TRAIN.AUTO_RESUME:
        found = checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)
        if found is not None:
            path, state = found
            learner.load(state, path)
            log.info("resuming from %s", path)
            return finished_epochs(state, path)
    path = cfg.TRAIN.CHECKPOINT_FILE_PATH
    if not path:
        _start_streams(cfg, model)
        if source := host.described(cfg).source:
            log.warning(
                "training starts from random weights: %s says what is built, and "
                "TRAIN.CHECKPOINT_FILE_PATH, which takes its folder too, is empty", source,
            )  # fmt: skip
        return 0
    state = read_weights(cfg, model, path, cfg.BIAS.NEW_CLASSIFIER)
    loaded = load_weights(
        model,
        state["model_state"],
        path,
        partial=cfg.BIAS.ALLOW_PARTIAL_WEIGHTS,
        new_classifier=cfg.BIAS.NEW_CLASSIFIER,
        inflate=cfg.TRAIN.CHECKPOINT_INFLATE,
        reshape=state["format"] == "caffe2",
        frames=cfg.DATA.NUM_FRAMES,
        size=cfg.DATA.TRAIN_CROP_SIZE,
    )
    check_colours(cfg, loaded, path)
    log.info("starting from the weights of %s", path)
    whole = not loaded.untouched and "optimizer_state" in state
    if cfg.TRAIN.CHECKPOINT_EPOCH_RESET or not whole or cfg.TRAIN.CHECKPOINT_INFLATE:
        return 0
    epochs = finished_epochs(state, path)
    planned = learner.debias.epochs
    if epochs >= planned:
        raise CheckpointError(
            f"Expected weights to train on, but {path} has {epochs} of {planned} epochs behind it. "
            "Raise SOLVER.MAX_EPOCH, or start a new count: "
            "TRAIN.CHECKPOINT_EPOCH_RESET True."
        )
    load_optimizer(learner.optimizer, state, path)
    return epochs


def _start_streams(cfg: CfgNode, model: nn.Module) -> None:
    """Fills streams that BIAS.SEGMENTATION gives a ResNet for."""
    for key, stream in STREAM_KEYS.items():
        if source := cfg.BIAS.SEGMENTATION[key]:
            fill_stream(model, stream, read_checkpoint(source)["model_state"], source)


def errors_so_far(output_dir: str, epochs: int, watched: str) -> dict[int, float]:
    """Returns {epoch: `watched`} of the validations of the first `epochs` epochs of a run.

    They are those of json_stats.log; of an epoch that was validated twice the last one counts.
    """
    path, found = Outputs(output_dir).stats, {}
    if not epochs or not g_pathmgr.isfile(path):
        return {}
    with g_pathmgr.open(path, "r") as file:
        for text in file:
            line = parse_json(text)
            match = _EPOCH.fullmatch(str(line.get("epoch")))
            error = line.get(watched)
            if line.get("_type") == "val_epoch" and match and isinstance(error, (int, float)):
                found[int(match[1])] = error
    return {epoch: error for epoch, error in found.items() if epoch <= epochs}
