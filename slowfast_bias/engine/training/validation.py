"""Validation between the epochs of training."""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.setup import divergence, network
from slowfast_bias.engine.tasks import Task
from slowfast_bias.engine.training.lists import ListInUse, orders_of
from slowfast_bias.models.families import family_of

log = logging.getLogger(__name__)


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
