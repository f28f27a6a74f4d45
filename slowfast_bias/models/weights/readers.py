"""Files of weights: read without executing anything that they hold."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import UserError
from slowfast_bias.models.weights.caffe2 import read_caffe2


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be used as it is."""


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
