"""Checkpoints in the hosts' own format: written whole or not at all, read without running code.

A file is a dict of `epoch, model_state, optimizer_state, cfg, slowfast_bias` and, on a GPU with
mixed precision, `scaler_state`. Both hosts read it, and theirs are read here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias.config import dump_cfg
from slowfast_bias.engine.setup.divergence import check_weights
from slowfast_bias.files import write_whole
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


def save_checkpoint(
    cfg: CfgNode,
    epoch: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None = None,
    extra: Mapping[str, Any] | None = None,
    path: str = "",
    more: Mapping[str, Any] | None = None,
) -> str:
    """Writes the state after epoch number `epoch` (0-based) and returns its path.

    Raises NotFiniteError, and writes nothing, if a weight is not a finite number: no run could go
    on from such a file, and the one before it stays the newest. `extra` holds tensors and
    primitives of this project; other readers ignore it. With `path` it is written there, `more`
    beside the usual entries.
    """
    weights = model.state_dict()
    check_weights(cfg, epoch, weights)
    state: dict[str, Any] = {
        "epoch": epoch,
        "model_state": weights,
        "optimizer_state": optimizer.state_dict(),
        "cfg": dump_cfg(cfg),
        "slowfast_bias": dict(extra or {}),
        **(more or {}),
    }
    if scaler is not None and scaler.is_enabled():
        state["scaler_state"] = scaler.state_dict()
    outputs = Outputs(cfg.OUTPUT_DIR)
    g_pathmgr.mkdirs(outputs.checkpoints)
    path = path or outputs.checkpoint(epoch + 1)
    with write_whole(path, "wb") as file:
        torch.save(state, file)
    return path


def last_good_checkpoint(output_dir: str) -> tuple[str, dict[str, Any]] | None:
    """Returns the newest checkpoint of a run that is as it was written, and its content."""
    for path in Outputs(output_dir).list_checkpoints():
        try:
            return path, read_checkpoint(path)
        except CheckpointError as error:
            log.warning("%s Trying the one before it.", error)
    return None
