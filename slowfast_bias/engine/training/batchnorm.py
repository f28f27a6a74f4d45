"""Batch-norm statistics between epochs: made precise, and made equal on all processes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from fvcore.common.config import CfgNode
from fvcore.nn.precise_bn import update_bn_stats
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.tasks import Task
from slowfast_bias.models.families import OneArgument


def make_precise(cfg: CfgNode, task: Task, model: nn.Module, loader: Loader) -> None:
    """Replaces running averages by averages over BN.NUM_BATCHES_PRECISE batches, no gradients."""
    device = next(model.parameters()).device
    batches = min(cfg.BN.NUM_BATCHES_PRECISE, len(loader))

    def inputs() -> Iterator[list[torch.Tensor]]:
        for batch in progress(itertools.islice(loader, batches), batches, "precise batch norm"):
            yield task.inputs(batch, device)

    model.train()
    update_bn_stats(OneArgument(model), inputs(), batches)


def share_statistics(model: nn.Module) -> None:
    """Gives every process the statistics of the clips of all, by the law of total variance.

    Without this each rank would validate a network of its own and only rank 0's would be saved.
    """
    world = ranks.world_size()
    if world == 1:
        return
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    means = torch.cat([m.running_mean for m in norms]).double()
    second = torch.cat([m.running_var for m in norms]).double() + means.square()
    ranks.sum_over_processes(means, second)
    means, second = means / world, second / world
    sizes = [m.num_features for m in norms]
    variances = (second - means.square()).split(sizes)
    for module, mean, var in zip(norms, means.split(sizes), variances, strict=True):
        module.running_mean.copy_(mean)
        module.running_var.copy_(var.clamp(min=0))
