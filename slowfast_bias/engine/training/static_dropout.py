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

from slowfast_bias import host
from slowfast_bias.bias import PairStats, Tap, evaluating, tapped
from slowfast_bias.datasets.loader import Batch, fold
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import shuffle_frames
from slowfast_bias.models.static_dropout import StaticDropout, attach_static_dropout

log = logging.getLogger(__name__)


class Debiasing:
    """What BIAS.STATIC_DROPOUT does to a network in training; nothing at all where it is off."""

    def __init__(self, cfg: CfgNode, model: nn.Module) -> None:
        self.cfg, self.options, self.model = cfg, cfg.BIAS.STATIC_DROPOUT, model
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
        """The learning rate at a fractional epoch, given what the schedule plans."""
        return self.options.FINETUNE_LR if self._is_fine_tuning(epoch) else planned

    def before_step(self, batch: Batch, inputs: list[torch.Tensor], iteration: int) -> None:
        """Estimates the static scores anew where that is due; ``iteration`` counts all epochs'."""
        if not isinstance(self.drop, StaticDropout) or not self.drop.active:
            return
        if iteration % self.options.PERIOD:
            return
        scores = self.estimate(inputs, batch.indices, fold(self.cfg.RNG_SEED, iteration))
        if scores.isnan().all():
            log.warning("no channel moved in this batch: the static scores stay as they were")
        else:
            self.drop.set_scores(self._smoothed(scores))
        figures = self.drop.statistics()
        line = {"_type": "static_dropout", "iteration": iteration + 1, **figures}
        log_json(self.cfg.OUTPUT_DIR, line)

    @torch.no_grad()
    def estimate(
        self, inputs: list[torch.Tensor], indices: torch.Tensor, seed: int
    ) -> torch.Tensor:
        """Static scores (C,) from a batch of pathways (B, C, T, H, W), merged over processes."""
        twin = shuffle_frames(self.cfg, inputs, indices, seed)
        tap = Tap(host.head(self.model).projection, of="input", channels_last=True, name="head")
        with (
            evaluating(self.model),
            network.autocast(self.cfg, inputs[0].device),
            tapped(self.model, [tap]) as features,
        ):
            self.model(list(inputs))
            clip = features["head"]
            self.model(twin)
            stats = PairStats.of(clip, features["head"])
        everyone = ranks.gather_objects(stats.to("cpu"))
        return functools.reduce(PairStats.merge, everyone).correlation()

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold so that a resumed run goes on as an unbroken one."""
        if not isinstance(self.drop, StaticDropout):
            return {}
        return {"static_scores": self.drop.get_scores(), "estimates": self._estimates}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up the scores of a checkpoint."""
        if isinstance(self.drop, StaticDropout) and "static_scores" in state:
            self.drop.set_scores(state["static_scores"])
            self._estimates = state["estimates"]

    def _attach(self) -> None:
        slot, kind, rate = host.head(self.model), self.options.KIND, self.options.RATE
        head = self.model.get_submodule(slot.path)
        self._estimates = 0
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

    def _smoothed(self, scores: torch.Tensor) -> torch.Tensor:
        """The running average of estimates; a channel dead in one has the other's score."""
        self._estimates += 1
        old, keep = self.drop.get_scores().double(), self.options.EMA
        if self._estimates == 1 or keep == 0:
            return scores
        mixed = keep * old + (1 - keep) * scores
        return mixed.where(~mixed.isnan(), scores.where(~scores.isnan(), old))
