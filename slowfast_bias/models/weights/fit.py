"""From a checkpoint into a network: all weights or none, and what does not fit is named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from slowfast_bias.models.weights.readers import CheckpointError

log = logging.getLogger(__name__)

# where a run finds its own checkpoint (TRAIN.AUTO_RESUME), it goes on with all of it or not at all
_AFRESH = (
    "begin another run: with another OUTPUT_DIR, or with TRAIN.AUTO_RESUME False, which writes "
    "over the checkpoints that are there"
)


def load_weights(
    model: nn.Module,
    weights: Mapping[str, torch.Tensor],
    source: str,
    partial: bool = False,
    inflate: bool = False,
    reshape: bool = False,
    resumes: bool = False,
) -> list[str]:
    """Copies weights into ``model``; returns what stays as it was (only with ``partial``).

    ``inflate`` repeats 2D kernels over time, as SlowFast does for ImageNet weights; ``reshape``
    forgives axes of length one, which Caffe2 has where PyTorch has none. ``resumes`` tells that a
    run goes on from a checkpoint of its own: the advice is another one then.
    """
    own = model.state_dict()
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    if inflate:
        weights = {k: _inflated(v, own[k]) if k in own else v for k, v in weights.items()}
    if reshape:
        weights = {k: _reshaped(v, own[k]) if k in own else v for k, v in weights.items()}
    missing = [name for name in own if name not in weights and not name.endswith("_tracked")]
    unknown = [name for name in weights if name not in own]
    shapes = [k for k, v in weights.items() if k in own and v.shape != own[k].shape]
    if (missing or unknown or shapes) and not partial:
        raise CheckpointError(_misfit(source, weights, own, missing, unknown, shapes, resumes))
    fitting = {k: v for k, v in weights.items() if k in own and k not in shapes}
    model.load_state_dict(fitting, strict=False)
    untouched = missing + shapes
    if untouched or unknown:
        log.warning(
            "%s: partial weights, as asked for; not loaded: %s; not in the network: %s",
            source, ", ".join(untouched) or "none", ", ".join(unknown) or "none",
        )  # fmt: skip
    return untouched


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any], path: str) -> None:
    """Continues with the optimiser of a checkpoint, which must be of the same kind."""
    saved = state.get("optimizer_state", {}).get("param_groups", [])
    own = optimizer.state_dict()["param_groups"]
    sizes = [len(group["params"]) for group in saved]
    # a group of another method lacks these, and would fail at the first step
    marks = {"momentum", "betas"} & set(optimizer.defaults)
    lacking = sorted({key for group in saved for key in marks if key not in group})
    if lacking or sizes != [len(group["params"]) for group in own]:
        raise CheckpointError(
            f"Expected {path} to hold the state of {type(optimizer).__name__} for this network, "
            f"but it holds that of another optimiser (groups of {sizes} weights, without "
            f"{', '.join(lacking) or 'nothing'}). Keep SOLVER.OPTIMIZING_METHOD, or start afresh "
            "from its weights: TRAIN.CHECKPOINT_FILE_PATH with TRAIN.CHECKPOINT_EPOCH_RESET True "
            "and another OUTPUT_DIR."
        )
    optimizer.load_state_dict(state["optimizer_state"])


def _inflated(flat: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    if flat.dim() == 4 and own.dim() == 5:
        return flat.unsqueeze(2).expand(-1, -1, own.shape[2], -1, -1) / own.shape[2]
    return flat


def _reshaped(value: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    same = [n for n in value.shape if n != 1] == [n for n in own.shape if n != 1]
    return value.reshape(own.shape) if same else value


def _misfit(
    source: str, weights: Any, own: Any, missing: Any, unknown: Any, shapes: Any, resumes: bool
) -> str:
    lines = [f"Expected {source} to fit the network that the config builds, but it does not."]
    ends = ("projection.weight", "projection.bias", "proj.weight", "proj.bias")
    if shapes and all(k.endswith(ends) for k in shapes) and not missing and not unknown:
        there, here = weights[shapes[-1]].shape[0], own[shapes[-1]].shape[0]
        other = "BIAS.ALLOW_PARTIAL_WEIGHTS True to start the classifier afresh"
        lines.append(
            f"Its classifier has {there} classes, MODEL.NUM_CLASSES is {here}: set "
            f"MODEL.NUM_CLASSES {there}, or {_AFRESH if resumes else other}."
        )
        return " ".join(lines)
    for what, names in (("lacks", missing), ("has, and the network has not,", unknown)):
        if names:
            lines.append(f"It {what} {len(names)} weights ({', '.join(names[:4])}, ...).")
    if shapes:
        first = shapes[0]
        lines.append(
            f"{len(shapes)} have other shapes ({first}: {tuple(weights[first].shape)}, "
            f"the network's {tuple(own[first].shape)})."
        )
    other = "set BIAS.ALLOW_PARTIAL_WEIGHTS True to load what fits"
    lines.append(
        "Check MODEL.ARCH, RESNET.DEPTH and RESNET.WIDTH_PER_GROUP, or "
        f"{_AFRESH if resumes else other}."
    )
    return " ".join(lines)
