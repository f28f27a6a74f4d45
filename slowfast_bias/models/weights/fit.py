"""From a checkpoint into a network: all weights or none, and what does not fit is named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from slowfast_bias.models.families import family_of
from slowfast_bias.models.weights.bookkeeping import without_bookkeeping
from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.misfit import (
    explain,
    find_misfit,
    fits_in_part,
    only_classifier,
)
from slowfast_bias.models.weights.names import rename
from slowfast_bias.models.weights.tables import NoPlaceError, Table, Weights

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """What was done with the weights of a file.

    Attributes:
        untouched: names of the network's weights that stay as they were.
        table: of the source whose names were translated; None if the names fitted.
    """

    untouched: list[str]
    table: Table | None = None

    @property
    def source(self) -> str:
        """The name of the table; "" without one."""
        return self.table.name if self.table is not None else ""


def load_weights(
    model: nn.Module,
    weights: Weights,
    source: str,
    partial: bool = False,
    new_classifier: bool = False,
    inflate: bool = False,
    reshape: bool = False,
    resumes: bool = False,
    frames: int | None = None,
    size: int | None = None,
) -> Loaded:
    """Copies weights into `model`, all of them or, unless it is asked for, none.

    Names of other sources are translated first, see `tables`.

    Args:
        model: the network.
        weights: {name: tensor}.
        source: the file, for messages.
        partial: take what fits, if anything does; else anything that does not is an error.
        new_classifier: leave the classifier as it is if the file's has other classes, or if the
            file has none.
        inflate: repeat 2D kernels over time, as SlowFast does for ImageNet weights.
        reshape: forgive axes of length one, which Caffe2 has and PyTorch has not.
        resumes: a run goes on from a checkpoint of its own: the advice is another one then.
        frames: of a clip of the network, for messages.
        size: of a clip of the network in pixels, for messages.
    """
    own = without_bookkeeping(model.state_dict())
    weights, table = _renamed(weights, own, source)
    if inflate:
        weights = {k: _inflated(v, own[k]) if k in own else v for k, v in weights.items()}
    if reshape:
        weights = {k: _reshaped(v, own[k]) if k in own else v for k, v in weights.items()}
    misfit = find_misfit(own, weights)
    if misfit.missing and set(misfit.missing) == family_of(model).unread(model):
        log.info("%s lacks %d weights that no forward reads", source, len(misfit.missing))
        misfit = misfit._replace(missing=[])
    part = partial and fits_in_part(own, weights, misfit)
    spared = part or (new_classifier and only_classifier(model, misfit))
    if any(misfit) and not spared:
        raise CheckpointError(explain(model, source, weights, misfit, resumes, (frames, size)))
    fitting = {k: v for k, v in weights.items() if k in own and k not in misfit.shapes}
    try:
        model.load_state_dict(fitting, strict=False)
    except RuntimeError as error:  # sparse tensors, or such without content
        raise CheckpointError(f"Expected dense weights in {source}, but: {error}") from error
    if table is not None:
        log.info("%s: names of %s, translated", source, table.name)
        if table.prepare is not None:
            table.prepare(model)
    untouched = misfit.missing + misfit.shapes
    if untouched or misfit.unknown:
        log.warning(
            "%s: partial weights, as asked for; not loaded: %s; not in the network: %s",
            source, ", ".join(untouched) or "none", ", ".join(misfit.unknown) or "none",
        )  # fmt: skip
    return Loaded(untouched, table)


def _renamed(weights: Weights, own: Weights, source: str) -> tuple[Weights, Table | None]:
    try:
        return rename(weights, own)
    except NoPlaceError as error:
        raise CheckpointError(
            f"Expected {source} to fit the network that the config builds, but {error}."
        ) from error


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
