"""From a checkpoint into a network: all weights or none, and what does not fit is named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from slowfast_bias.models.families import family_of
from slowfast_bias.models.weights.readers import CheckpointError

log = logging.getLogger(__name__)

# if a run finds its own checkpoint (TRAIN.AUTO_RESUME), it goes on with all of it or not at all
_AFRESH = (
    "begin another run: with another OUTPUT_DIR, or with TRAIN.AUTO_RESUME False, which writes "
    "over the checkpoints that are there"
)

Weights = Mapping[str, torch.Tensor]


class Misfit(NamedTuple):
    """Names of weights that do not go from a file into a network."""

    missing: list[str]  # the network has them, the file has not
    unknown: list[str]  # the file has them, the network has not
    shapes: list[str]  # both have them, in different shapes


def load_weights(
    model: nn.Module,
    weights: Weights,
    source: str,
    partial: bool = False,
    inflate: bool = False,
    reshape: bool = False,
    resumes: bool = False,
) -> list[str]:
    """Copies weights into `model`; returns what stays as it was (only with `partial`).

    Args:
        model: the network.
        weights: {name: tensor}.
        source: the file, for messages.
        partial: take what fits; else anything that does not is an error.
        inflate: repeat 2D kernels over time, as SlowFast does for ImageNet weights.
        reshape: forgive axes of length one, which Caffe2 has and PyTorch has not.
        resumes: a run goes on from a checkpoint of its own: the advice is another one then.
    """
    own = model.state_dict()
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    if inflate:
        weights = {k: _inflated(v, own[k]) if k in own else v for k, v in weights.items()}
    if reshape:
        weights = {k: _reshaped(v, own[k]) if k in own else v for k, v in weights.items()}
    misfit = Misfit(
        missing=[name for name in own if name not in weights and not name.endswith("_tracked")],
        unknown=[name for name in weights if name not in own],
        shapes=[k for k, v in weights.items() if k in own and v.shape != own[k].shape],
    )
    if any(misfit) and not partial:
        raise CheckpointError(_explain(model, source, weights, misfit, resumes))
    fitting = {k: v for k, v in weights.items() if k in own and k not in misfit.shapes}
    try:
        model.load_state_dict(fitting, strict=False)
    except RuntimeError as error:  # sparse tensors, or such without content
        raise CheckpointError(f"Expected dense weights in {source}, but: {error}") from error
    untouched = misfit.missing + misfit.shapes
    if untouched or misfit.unknown:
        log.warning(
            "%s: partial weights, as asked for; not loaded: %s; not in the network: %s",
            source, ", ".join(untouched) or "none", ", ".join(misfit.unknown) or "none",
        )  # fmt: skip
    return untouched


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any], path: str) -> None:
    """Continues with the optimiser of a checkpoint, which must be of the same kind."""
    try:
        saved = state["optimizer_state"]["param_groups"]
        own = optimizer.state_dict()["param_groups"]
        sizes = [len(group["params"]) for group in saved]
        # a group without its numbers, as of another method, would fail at the first step
        numbers = {k for k, v in optimizer.defaults.items() if type(v) in (int, float, tuple)}
        lacking = sorted({key for group in saved for key in numbers if not _has(group, key)})
        if lacking or sizes != [len(group["params"]) for group in own]:
            raise CheckpointError(
                f"Expected {path} to hold the state of {type(optimizer).__name__} for this "
                f"network, but it holds that of another optimiser (groups of {sizes} weights, "
                f"without {', '.join(lacking) or 'nothing'}). Keep SOLVER.OPTIMIZING_METHOD, or "
                "start afresh from its weights: TRAIN.CHECKPOINT_FILE_PATH with "
                "TRAIN.CHECKPOINT_EPOCH_RESET True and another OUTPUT_DIR."
            )
        _check_shapes(optimizer, state["optimizer_state"]["state"])
        optimizer.load_state_dict(state["optimizer_state"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"Expected {path} to hold the state of an optimiser, but its `optimizer_state` has "
            f"another form ({type(error).__name__}: {error}). Start afresh from its weights: "
            "TRAIN.CHECKPOINT_EPOCH_RESET True and another OUTPUT_DIR."
        ) from error


def _has(group: Mapping[str, Any], key: str) -> bool:
    value = group.get(key)
    return all(type(x) in (int, float) for x in (value if isinstance(value, tuple) else (value,)))


def _check_shapes(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping]) -> None:
    """Raises ValueError if what was kept of a weight is not of its shape."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for number, kept in state.items():
        for name, value in kept.items():
            single = not isinstance(value, torch.Tensor) or value.ndim == 0  # a count of steps
            if not single and value.shape != weights[number].shape:
                raise ValueError(
                    f"{name} of weight {number} is {tuple(value.shape)}, the weight is "
                    f"{tuple(weights[number].shape)}"
                )


def _inflated(flat: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    if flat.dim() == 4 and own.dim() == 5:
        return flat.unsqueeze(2).expand(-1, -1, own.shape[2], -1, -1) / own.shape[2]
    return flat


def _reshaped(value: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    same = [n for n in value.shape if n != 1] == [n for n in own.shape if n != 1]
    return value.reshape(own.shape) if same else value


def _explain(model: nn.Module, source: str, weights: Weights, misfit: Misfit, resumes: bool) -> str:
    own, (missing, unknown, shapes) = model.state_dict(), misfit
    lines = [f"Expected {source} to fit the network that the config builds, but it does not."]
    head = family_of(model).head(model)
    of_head = [k for k in shapes if head is not None and k.startswith(f"{head.projection}.")]
    if of_head and of_head == shapes and not missing and not unknown:
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
