"""Checkpoints in the hosts' own format: written whole or not at all, read without running code.

A file is a dict of ``epoch, model_state, optimizer_state, cfg, slowfast_bias`` and, on a GPU with
mixed precision, ``scaler_state``. Both hosts read it, and theirs are read here.
"""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias.engine.caffe2 import read_caffe2
from slowfast_bias.errors import UserError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)
_NAME = re.compile(r"checkpoint_epoch_(\d+)\.pyth$")


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be used as it is."""


def checkpoint_path(output_dir: str, epoch: int) -> str:
    """Where the weights after ``epoch`` finished epochs are kept."""
    return f"{output_dir}/checkpoints/checkpoint_epoch_{epoch:05d}.pyth"


def save_checkpoint(
    cfg: CfgNode,
    epoch: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Writes the state after epoch number ``epoch`` (0-based) and returns its path.

    ``extra`` holds tensors and primitives of this project; other readers ignore it.
    """
    state: dict[str, Any] = {
        "epoch": epoch,
        "model_state": model.state_dict(),
        "optimizer_state": optimizer.state_dict(),
        "cfg": cfg.dump(),
        "slowfast_bias": dict(extra or {}),
    }
    if scaler is not None and scaler.is_enabled():
        state["scaler_state"] = scaler.state_dict()
    g_pathmgr.mkdirs(f"{cfg.OUTPUT_DIR}/checkpoints")
    path = checkpoint_path(cfg.OUTPUT_DIR, epoch + 1)
    with write_whole(path, "wb") as file:
        torch.save(state, file)
    return path


def checkpoints_in(output_dir: str) -> list[str]:
    """The checkpoints of a run, newest first."""
    folder = f"{output_dir}/checkpoints"
    names = g_pathmgr.ls(folder) if g_pathmgr.isdir(folder) else []
    epochs = sorted((int(m[1]) for m in map(_NAME.search, names) if m), reverse=True)
    return [checkpoint_path(output_dir, epoch) for epoch in epochs]


def last_good_checkpoint(output_dir: str) -> tuple[str, dict[str, Any]] | None:
    """The newest checkpoint of a run that can be read, with its content."""
    for path in checkpoints_in(output_dir):
        try:
            return path, read_checkpoint(path)
        except CheckpointError as error:
            log.warning("%s Trying the one before it.", error)
    return None


def _unreadable(path: str, error: Exception) -> str:
    # torch wraps the reason in a page about `weights_only`
    reason = str(error).rpartition("Unpickler error: ")[2].strip().partition("\n")[0]
    broken = ("Unsupported operand", "invalid load key", "truncated")  # no pickle to begin with
    if isinstance(error, pickle.UnpicklingError) and not any(word in reason for word in broken):
        return (
            f"Expected {path} to hold tensors, numbers and strings only, but it holds other Python "
            "objects, which are not loaded because that could run code. Save its state_dict alone "
            f"and try again. ({reason})"
        )
    return (
        f"Expected {path} to be a whole checkpoint, but it cannot be read (cut short, or not a "
        f"PyTorch file): {reason or type(error).__name__}. Copy it again, or give another one."
    )


def read_checkpoint(path: str, kind: str = "pytorch") -> dict[str, Any]:
    """The content of a checkpoint; nothing that it may hold besides tensors is ever executed."""
    if not g_pathmgr.exists(path):
        raise CheckpointError(f"Expected a checkpoint at {path}, but there is no such file.")
    try:
        with g_pathmgr.open(path, "rb") as file:
            if kind == "caffe2":
                return {"epoch": -1, "model_state": read_caffe2(file)}
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch reports a cut file as RuntimeError, EOFError, ValueError...
        raise CheckpointError(_unreadable(path, error)) from error
    if isinstance(state, Mapping) and "model_state" in state:
        return dict(state)
    if isinstance(state, Mapping) and all(isinstance(v, torch.Tensor) for v in state.values()):
        return {"epoch": -1, "model_state": dict(state)}  # a bare state_dict
    raise CheckpointError(
        f"Expected {path} to hold `model_state` (SlowFast's format) or to be a state_dict, but it "
        f"has {sorted(state)[:8] if isinstance(state, Mapping) else type(state).__name__}."
    )
