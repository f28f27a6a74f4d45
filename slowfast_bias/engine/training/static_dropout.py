"""StaticDropout in the training loop, and its two baselines.

Every PERIOD iterations the static scores of the channels that the classifier sees are estimated
from the current batch and the same clips with shuffled frames: no gradients, no change to batch
norm, merged over all processes. After SOLVER.MAX_EPOCH come FINETUNE_EPOCHS without any dropout.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import PairStats, evaluating, tapped
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.pairs.frame_order import shuffled
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import Task
from slowfast_bias.models.families import classifier_of, family_of, head_tap
from slowfast_bias.models.static_dropout import StaticDropout, attach_static_dropout
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.seeding import seed_from

Orders = torch.Tensor | None

log = logging.getLogger(__name__)


class Debiasing:
    """What BIAS.STATIC_DROPOUT does to a network in training; nothing at all where it is off."""

    def __init__(self, cfg: CfgNode, model: nn.Module, task: Task) -> None:
        self.cfg, self.options, self.model = cfg, cfg.BIAS.STATIC_DROPOUT, model
        self.task = task
        self.enabled = self.options.ENABLE
        self.drop: nn.Module | None = None
        if self.enabled:
            self._attach()

    @property
    def epochs(self) -> int:
        """All epochs of the schedule, fine-tuning included."""
        return self.cfg.SOLVER.MAX_EPOCH + (self.options.FINETUNE_EPOCHS if self.enabled else 0)

    def begin_epoch(self, epoch: int) -> None:
        """Switches every dropout off when fine-tuning begins."""
        if self.enabled and self._is_fine_tuning(epoch):
            if isinstance(self.drop, StaticDropout):
                self.drop.active = False
            for module in self.model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0

    def lr(self, epoch: float, planned: float) -> float:
        """Returns the learning rate at a fractional epoch, given what the schedule plans."""
        return self.options.FINETUNE_LR if self._is_fine_tuning(epoch) else planned

    def before_step(
        self, batch: Batch, inputs: list[torch.Tensor], iteration: int, orders: Orders = None
    ) -> None:
        """Estimates the static scores again if that is due.

        Args:
            batch: the clips of this step.
            inputs: what the network is given of them.
            iteration: counts through all epochs.
            orders: the orders (B, T) in which their frames are trained on, if not as filmed.
        """
        if not isinstance(self.drop, StaticDropout) or not self.drop.active:
            return
        if iteration % self.options.PERIOD:
            return
        scores = self.estimate(batch, inputs, seed_from(self.cfg.RNG_SEED, iteration), orders)
        if scores.isnan().all():
            log.warning("no channel moved in this batch: the static scores stay as they were")
        else:
            self.drop.set_scores(self.smoothed(scores))
        figures = self.drop.statistics()
        line = {"_type": "static_dropout", "iteration": iteration + 1, **figures}
        log_json(self.cfg.OUTPUT_DIR, line)

    @torch.no_grad()
    def estimate(
        self, batch: Batch, inputs: list[torch.Tensor], seed: int, orders: Orders = None
    ) -> torch.Tensor:
        """Returns static scores (C,) of a batch and its shuffled twin, merged over processes."""
        twin_orders = shuffled(batch.frames(), seed, batch.indices.tolist())
        if orders is not None:  # of the clips as they are trained on
            twin_orders = orders.gather(1, twin_orders)
        twin = self.task.inputs(batch, inputs[0].device, twin_orders)
        family = family_of(self.model)
        with (
            evaluating(self.model),
            network.autocast(self.cfg, inputs[0].device),
            tapped(self.model, [head_tap(classifier_of(self.model))]) as features,
        ):
            family.call(self.model, inputs)
            clip = features["head"]
            family.call(self.model, twin)
            stats = PairStats.of(clip, features["head"])
        everyone = ranks.gather_objects(stats.to("cpu"))
        return functools.reduce(PairStats.merge, everyone).correlation()

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold so that a resumed run goes on as an unbroken one."""
        if not isinstance(self.drop, StaticDropout):
            return {}
        return {"static_scores": self.drop.get_scores(), "estimates": self.estimates}

    def load_state(self, state: Any) -> None:
        """Takes up the scores of a checkpoint, as `state` gave them; CheckpointError."""
        if not isinstance(state, dict):
            raise CheckpointError(f"Expected an object `slowfast_bias`, but got {state!r:.40}.")
        if not isinstance(self.drop, StaticDropout) or "static_scores" not in state:
            return
        scores, estimates = state["static_scores"], state.get("estimates")
        channels = (self.drop.channels,)
        if not isinstance(scores, torch.Tensor) or scores.shape != channels:
            raise CheckpointError(f"Expected `static_scores` {channels}, but got {scores!r:.40}.")
        if not isinstance(estimates, int):
            raise CheckpointError(f"Expected a number of `estimates`, but got {estimates!r:.40}.")
        self.drop.set_scores(scores)
        self.estimates = estimates

    def counts(self) -> list[Any]:
        """Returns what was dropped since the last line of the log; [] if nothing is counted."""
        return list(self.drop.get_counts()) if isinstance(self.drop, StaticDropout) else []

    def load_counts(self, counts: list[Any]) -> None:
        """Takes up what `counts` gave."""
        if isinstance(self.drop, StaticDropout):
            self.drop.set_counts(*counts)

    def _attach(self) -> None:
        slot, kind, rate = classifier_of(self.model), self.options.KIND, self.options.RATE
        head = self.model.get_submodule(slot.path)
        self.estimates = 0
        if kind == "static":
            self.drop = attach_static_dropout(
                head,
                rate,
                temperature=self.options.TEMPERATURE,
                mask=self.options.MASK,
                channels_last=slot.dropout_channels_last,
            )
        else:
            self.drop = head.dropout = nn.Dropout(rate if kind == "standard" else 0.0)
        if self.cfg.MODEL.DROPOUT_RATE > 0:
            log.info(
                "BIAS.STATIC_DROPOUT (%s, rate %s) takes the place of MODEL.DROPOUT_RATE %s",
                kind, rate, self.cfg.MODEL.DROPOUT_RATE,
            )  # fmt: skip

    def _is_fine_tuning(self, epoch: float) -> bool:
        return self.enabled and epoch >= self.cfg.SOLVER.MAX_EPOCH

    def smoothed(self, scores: torch.Tensor) -> torch.Tensor:
        """Returns the running average of estimates; a channel dead in one has the other's score."""
        self.estimates += 1
        old, keep = self.drop.get_scores().double(), self.options.EMA
        if self.estimates == 1 or keep == 0:
            return scores
        mixed = keep * old + (1 - keep) * scores
        return mixed.where(~mixed.isnan(), scores.where(~scores.isnan(), old))
