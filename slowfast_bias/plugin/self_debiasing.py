"""SelfDebiasing: a network that estimates its own static scores while SlowFast's loop trains it.

SlowFast's loop has no place for a step of ours, but it calls the network in every iteration, with
the batch. A forward in training mode with gradients is such an iteration; forwards of validation
and of precise batch norm are none.
"""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import Tensor

from slowfast_bias import host
from slowfast_bias.datasets.contract import Batch, Stream
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.training.static_dropout import Debiasing
from slowfast_bias.errors import LayerError
from slowfast_bias.models.static_dropout import StaticDropout
from slowfast_bias.models.weights.bookkeeping import COUNTS, SCORES
from slowfast_bias.plugin.current_model import remember


class SelfDebiasing:
    """Stands before a network's class: StaticDropout in its dropout slot, its scores in buffers.

    The buffers go into SlowFast's checkpoints, so a resumed run goes on with its scores and counts.
    No module is added to the network but in the slot: X3D runs whatever children it finds.
    """

    debiasing: Debiasing | None = None
    forwards = 0  # of training, so far: not read from its buffer, which would wait for the GPU

    def attach_static_dropout(self: Any, cfg: CfgNode) -> None:
        """Puts into the slot what BIAS.STATIC_DROPOUT asks for; nothing if it is off."""
        remember(self, cfg)
        if not cfg.BIAS.STATIC_DROPOUT.ENABLE:
            return
        try:
            self.debiasing = Debiasing(cfg, self, make_task(cfg, self))
        except ValueError as error:  # no linear classifier, or a rate that drops none of its inputs
            raise LayerError(f"{type(self).__name__}: {error}") from error
        self.streams = tuple(
            Stream(packed=True, every_frame=every) for every in host.whole_pathways(cfg)
        )
        if isinstance(self.debiasing.drop, StaticDropout):
            self.register_buffer(SCORES, self.debiasing.drop.get_scores())
            self.register_buffer(COUNTS, torch.zeros(2, dtype=torch.long))

    def forward(self: Any, x: list[Tensor], *args: Any, **kwargs: Any) -> Any:
        """Returns what the network returns; before that estimates the scores, if it is due."""
        if self.training and torch.is_grad_enabled() and SCORES in self._buffers:
            self._before_step(list(x))
        return super().forward(x, *args, **kwargs)

    def _before_step(self: Any, x: list[Tensor]) -> None:
        # SlowFast does not tell which videos these are: orders are drawn by places in the batch
        clips, first = len(x[0]), ranks.rank() * len(x[0])
        batch = Batch(x, None, torch.arange(first, first + clips), {}, self.streams)
        self.debiasing.before_step(batch, x, self.forwards)
        # some versions of torch would go on with weights that were cast without gradients here
        torch.clear_autocast_cache()
        self.forwards += 1
        self._keep()

    def _keep(self: Any) -> None:
        counts = getattr(self, COUNTS)
        counts[0].fill_(self.forwards)
        counts[1].fill_(self.debiasing.estimates)
        getattr(self, SCORES).copy_(self.debiasing.drop.scores)

    def load_state_dict(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Loads weights, and goes on with the scores and counts that came with them, if any."""
        outcome = super().load_state_dict(*args, **kwargs)
        if SCORES in self._buffers:
            self.forwards, estimates = getattr(self, COUNTS).tolist()
            if estimates:
                scores = getattr(self, SCORES).cpu()
                self.debiasing.load_state({"static_scores": scores, "estimates": estimates})
        return outcome
