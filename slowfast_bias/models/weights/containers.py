"""Where the weights are in what was read: under one of the keys that people keep them under."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch

from slowfast_bias.models.weights.bookkeeping import set_apart
from slowfast_bias.models.weights.caffe2 import of_blobs
from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.inert_objects import Inert

log = logging.getLogger(__name__)

# In this order. The second of two encoders is the average of the first over training, on which
# V-JEPA's published probes were trained.
_KEYS = (
    "state_dict", "model", "module", "model_state_dict", "target_encoder", "encoder",
)  # fmt: skip
_PROBES = "classifiers"  # of V-JEPA: one for each setting that was tried


def find_weights(content: Any, path: str) -> dict[str, Any]:
    """Returns the content of a checkpoint in SlowFast's form, `model_state` in it and checked.

    Its `format` is "caffe2" for blobs of Caffe2, else "pytorch".
    """
    if isinstance(content, Inert):
        raise _whole_network("it", content, path)
    if not isinstance(content, Mapping):
        raise _no_weights(type(content).__name__, path)
    if "model_state" in content:
        content = set_apart(content)
        weights = check_weights(content["model_state"], path)
        return {**content, "model_state": weights, "format": "pytorch"}
    if isinstance(content.get("blobs"), Mapping):
        return _state(check_weights(of_blobs(content["blobs"]), path), "caffe2")
    if _are_tensors(content):
        return _state(check_weights(content, path))
    for key in _KEYS:
        if isinstance(content.get(key), Inert):
            raise _whole_network(f"its `{key}`", content[key], path)
        if _are_tensors(content.get(key)):
            return _state(check_weights(content[key], path))
    probes = content.get(_PROBES)
    if isinstance(probes, list) and probes and _are_tensors(probes[0]):
        log.info("%s holds %d probe(s) and no encoder; the first is taken", path, len(probes))
        return _state(check_weights(probes[0], path))
    raise _no_weights(str([str(key) for key in content if isinstance(key, (str, int))][:8]), path)


def not_finite(weights: Mapping[str, torch.Tensor]) -> list[str]:
    """Returns the names of the tensors that hold NaN or Inf.

    Masks, which are 0 and -Inf throughout, are as they should be.
    """
    return [name for name, value in weights.items() if not _is_finite(value)]


def check_weights(weights: Any, path: str) -> dict[str, torch.Tensor]:
    """Returns a dict of weights; CheckpointError if they are anything else, or not finite."""
    if isinstance(weights, Mapping):
        other = [k for k, v in weights.items() if not _is_weight(k, v)]
        if not other:
            _refuse_nan(weights, path)
            return dict(weights)
        got = f"{other[0]!r} is {_kind(weights[other[0]])}"
    else:
        got = f"it is {_kind(weights)}"
    raise CheckpointError(
        f"Expected `model_state` of {path} to be {{name: tensor}}, but {got}. Save the network's "
        "state_dict and try again."
    )


def _state(weights: dict[str, torch.Tensor], kind: str = "pytorch") -> dict[str, Any]:
    return {"epoch": -1, "model_state": weights, "format": kind}


def _are_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(v, torch.Tensor) for v in value.values())


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "sparse, without content, or named by no text"
    if isinstance(value, Inert):
        return f"an object of `{value.stands_for}`, which is not built because that could run code"
    return f"a {type(value).__name__}"


def _whole_network(what: str, network: Inert, path: str) -> CheckpointError:
    return CheckpointError(
        f"Expected {path} to hold tensors by name, but {what} is {_kind(network)}. If it is a "
        "whole network, save its weights alone, in a program that has its code: "
        "torch.save(network.state_dict(), FILE)."
    )


def _no_weights(got: str, path: str) -> CheckpointError:
    return CheckpointError(
        f"Expected {path} to hold `model_state` (SlowFast's format), {', '.join(_KEYS[:3])} or "
        f"`blobs`, or to be a state_dict, but it has {got}."
    )


def _is_finite(value: torch.Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()):
        return True
    value = value.float() if value.element_size() == 1 else value  # few operations know 8 bits
    return bool(value.isfinite().all()) or (
        not value.is_complex() and bool(((value == 0) | value.isneginf()).all())
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
