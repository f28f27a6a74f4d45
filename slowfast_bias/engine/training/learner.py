"""Learner: a network in training, and all that changes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from slowfast_bias.engine.training.static_dropout import Debiasing
from slowfast_bias.models.weights.fit import load_optimizer, load_weights
from slowfast_bias.models.weights.readers import CheckpointError


@dataclass(frozen=True)
class Learner:
    """The same on every process, but for the buffers of the network.

    Attributes:
        model: the network, not wrapped.
        optimizer: of its weights.
        scaler: of its losses.
        debias: what BIAS.STATIC_DROPOUT does to it.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    debias: Debiasing

    def parts(self) -> tuple[Any, ...]:
        """Returns what `checkpoint.save_checkpoint` saves of it."""
        return self.model, self.optimizer, self.scaler, self.debias.state()

    def load(self, state: Mapping[str, Any], path: str) -> None:
        """Takes up the state in a checkpoint of its own run; CheckpointError if it does not fit."""
        load_weights(self.model, state["model_state"], path, resumes=True)
        load_optimizer(self.optimizer, state, path)
        if "scaler_state" in state:
            self.scaler.load_state_dict(state["scaler_state"])
        try:
            self.debias.load_state(state.get("slowfast_bias", {}))
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from error
