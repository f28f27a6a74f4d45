"""Files of weights: read without executing anything that they hold."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import UserError
from slowfast_bias.models.families.heads import CLASSIFIER_BIASES
from slowfast_bias.models.weights.caffe2 import read_caffe2

_WRAPPERS = ("state_dict", "model", "module")  # under which others keep their weights


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
    """Returns the content of a checkpoint; nothing that it holds besides tensors is executed."""
    if not g_pathmgr.exists(path):
        raise CheckpointError(f"Expected a checkpoint at {path}, but there is no such file.")
    try:
        with g_pathmgr.open(path, "rb") as file:
            if kind == "caffe2":
                state = read_caffe2(file)
            else:
                state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch reports a cut file as RuntimeError, EOFError, ValueError...
        raise CheckpointError(_unreadable(path, error)) from error
    if isinstance(state, Mapping) and "model_state" in state:
        return {**state, "model_state": _checked(state["model_state"], path)}
    if isinstance(state, Mapping) and all(isinstance(v, torch.Tensor) for v in state.values()):
        return {"epoch": -1, "model_state": _checked(state, path)}  # a bare state_dict
    for key in _WRAPPERS:
        inner = state.get(key) if isinstance(state, Mapping) else None
        if isinstance(inner, Mapping) and all(isinstance(v, torch.Tensor) for v in inner.values()):
            return {"epoch": -1, "model_state": _checked(inner, path)}
    raise CheckpointError(
        f"Expected {path} to hold `model_state` (SlowFast's format) or to be a state_dict, but it "
        f"has {list(map(str, state))[:8] if isinstance(state, Mapping) else type(state).__name__}."
    )


def kind_of(path: str) -> str:
    """Returns "caffe2" for a file of SlowFast's model zoo in Caffe2's format, else "pytorch"."""
    return "caffe2" if path.endswith(".pkl") else "pytorch"


def classes_of(path: str, kind: str = "pytorch") -> int | None:
    """Returns how many classes the classifier in a checkpoint tells apart; None if not known.

    It is the length of the last bias of a projection, by the names of the known kinds of networks.
    """
    weights = read_checkpoint(path, kind)["model_state"]
    for end in CLASSIFIER_BIASES:
        found = [value for name, value in weights.items() if name.endswith(end)]
        if found:
            return len(found[-1])
    return None


def finished_epochs(state: Mapping[str, Any], path: str) -> int:
    """Returns after how many epochs a checkpoint was written; CheckpointError if it does not say.

    Its `epoch` counts from 0.
    """
    epoch = state.get("epoch")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < -1:
        raise CheckpointError(
            f"Expected the number of an `epoch` in {path}, but got {epoch!r}. Start afresh from "
            "its weights: TRAIN.CHECKPOINT_EPOCH_RESET True."
        )
    return epoch + 1


def not_finite(weights: Mapping[str, torch.Tensor]) -> list[str]:
    """Returns the names of the tensors that hold NaN or Inf.

    Masks, which are 0 and -Inf throughout, are as they should be.
    """
    return [name for name, value in weights.items() if not _is_finite(value)]


def _is_finite(value: torch.Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()):
        return True
    value = value.float() if value.element_size() == 1 else value  # few operations know 8 bits
    return bool(value.isfinite().all()) or (
        not value.is_complex() and bool(((value == 0) | value.isneginf()).all())
    )


def _checked(weights: Any, path: str) -> dict[str, torch.Tensor]:
    """Returns a dict of weights; CheckpointError if they are anything else."""
    if isinstance(weights, Mapping):
        other = [k for k, v in weights.items() if not _is_weight(k, v)]
        if not other:
            _refuse_nan(weights, path)
            return dict(weights)
        got = f"{other[0]!r} is a {type(weights[other[0]]).__name__}"
        if isinstance(weights[other[0]], torch.Tensor):
            got = f"{other[0]!r} is sparse, without content, or named by no text"
    else:
        got = f"it is a {type(weights).__name__}"
    raise CheckpointError(
        f"Expected `model_state` of {path} to be {{name: tensor}}, but {got}. Save the network's "
        "state_dict and try again."
    )


def _refuse_nan(weights: Mapping[str, torch.Tensor], path: str) -> None:
    names = not_finite(weights)
    if names:
        more = ", ..." if len(names) > 4 else ""
        raise CheckpointError(
            f"Expected finite weights in {path}, but {len(names)} of {len(weights)} tensors hold "
            f"NaN or Inf ({', '.join(names[:4])}{more}): its training has diverged, or the file is "
            "damaged. Give the checkpoint of an earlier epoch, or train again with a lower "
            "SOLVER.BASE_LR."
        )


def _is_weight(name: Any, value: Any) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type != "meta"
    )
