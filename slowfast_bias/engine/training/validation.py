"""Validation between the epochs of training."""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress
from slowfast_bias.engine.runtime.tensorboard import Scalars
from slowfast_bias.engine.setup import divergence, network
from slowfast_bias.engine.tasks import Task
from slowfast_bias.engine.training.lists import ListInUse, orders_of
from slowfast_bias.engine.training.resume import errors_so_far
from slowfast_bias.models.families import family_of

log = logging.getLogger(__name__)


class Validations:
    """The validations of a run, of those before a resume too.

    Attributes:
        last: figures of the last one; None before the first one.
    """

    def __init__(
        self, cfg: CfgNode, task: Task, model: nn.Module, scalars: Scalars, epochs: int, first: int
    ) -> None:
        """Reads what is known of the epochs before `first` (0-based).

        Args:
            cfg: the config.
            task: what is scored.
            model: the network, not wrapped.
            scalars: the curves.
            epochs: of the run.
            first: the epoch that the run begins with.
        """
        self.cfg, self.task, self.model = cfg, task, model
        self.scalars, self.epochs = scalars, epochs
        self.val_list, self.last = ListInUse(cfg, "val"), None
        self._errors = ranks.from_master(errors_so_far(cfg.OUTPUT_DIR, first, task.watched))

    def lacks(self, epoch: int) -> bool:
        """Returns whether an epoch (0-based) has not been validated."""
        return epoch + 1 not in self._errors

    def after_epoch(self, epoch: int, saved: str | None) -> None:
        """Validates and logs it; `saved` is the checkpoint of these very weights, if there is one.

        The smallest error so far stands in the log too.
        """
        watched, number = self.task.watched, f"{epoch + 1}/{self.epochs}"
        self.last = validate(self.cfg, self.task, self.model, self.val_list, epoch, saved)
        self._errors[epoch + 1] = self.last[watched]
        best = {f"min_{watched}": min(self._errors.values())}
        log_json(self.cfg.OUTPUT_DIR, {"_type": "val_epoch", "epoch": number, **best, **self.last})
        self.scalars.write("Val", self.last, epoch)


@torch.no_grad()
def validate(
    cfg: CfgNode,
    task: Task,
    model: nn.Module,
    val_list: ListInUse,
    epoch: int,
    saved: str | None = None,
) -> dict[str, Any]:
    """Returns figures over the val list, each clip counted once by any number of processes.

    Scores that are not finite raise NotFiniteError on every process. `saved`, the checkpoint of
    these very weights, is then set aside: no run shall go on from it.
    """
    model.eval()
    device, family = next(model.parameters()).device, family_of(model)
    figures, clips, dropped, wrong = task.no_figures(), 0, 0, []
    for batch in progress(val_list.loader, len(val_list.loader), "validation"):
        dropped += len(batch.unreadable)
        val_list.unreadable.add(batch)
        if not batch.clips():
            continue
        orders = orders_of(cfg.BIAS.SHUFFLE.VAL, batch, cfg.RNG_SEED)
        with network.autocast(cfg, device):
            output = family.call(model, task.inputs(batch, device, orders))
        figures = figures.merge(task.figures(output, batch))
        wrong += batch.indices[~task.finite(output)].tolist()
        clips += batch.clips()
    found = ranks.gather_objects((figures, clips, dropped, wrong))
    every, counts, lost, wrongs = zip(*found, strict=True)
    val_list.unreadable.merge_over_ranks()
    if sum(lost):
        log.warning("%d clips of the val list could not be read and do not count", sum(lost))
    if any(wrongs):
        if saved is not None and ranks.is_master():
            divergence.set_aside(saved)
        ranks.wait()
        bad, step = sorted(sum(wrongs, [])), f"validation after epoch {epoch + 1}"
        advice = divergence.way_out(cfg, epoch)
        raise divergence.scores_not_finite(
            step, val_list.loader.dataset, bad, sum(counts), "clips", advice
        )
    merged = functools.reduce(lambda a, b: a.merge(b), every)
    return {**merged.compute(), "clips": sum(counts), "dropped": sum(lost)}
