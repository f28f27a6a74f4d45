"""Batch norm over the clips of all processes, on gloo as well as on nccl.

`torch.nn.SyncBatchNorm` needs a GPU and SlowFast's own version is broken. With this one, several
processes that share a global batch compute what one process computes on all of it. State-dict keys
are those of the plain batch norm, of clips (`nn.BatchNorm3d`) or of pictures (`nn.BatchNorm2d`).
"""

from __future__ import annotations

import torch
from torch import distributed as dist
from torch import nn
from torch.autograd.function import FunctionCtx
from torch.nn.modules.batchnorm import _BatchNorm


class _OverProcesses(_BatchNorm):
    """What a batch norm of any rank does in training to cover all processes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalises x (B, C, ...)."""
        spread = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        if not (self.training and spread):
            return super().forward(x)
        # statistics in half precision would lose small variances
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        others = (0, *range(2, x.ndim))
        count = wide.new_tensor([wide.numel() / wide.shape[1]])
        sums = _SumOverProcesses.apply(torch.cat([wide.sum(others), count]))
        n = sums[-1].detach()
        mean = sums[:-1] / n
        centred = wide - mean.view(shape)
        # a second sum: E[x^2] - E[x]^2 would lose the variance if the mean is large
        var = _SumOverProcesses.apply(centred.square().sum(others)) / n
        self._remember(mean.detach(), var.detach(), float(n))
        scale = self.weight * torch.rsqrt(var + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    def _remember(self, mean: torch.Tensor, var: torch.Tensor, n: float) -> None:
        if not self.track_running_stats:
            return
        self.num_batches_tracked.add_(1)
        momentum = self.momentum if self.momentum is not None else 1 / int(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(var * (n / max(n - 1, 1)), momentum)


class SyncBatchNorm(_OverProcesses, nn.BatchNorm3d):
    """`nn.BatchNorm3d` whose training statistics cover all processes."""


class SyncBatchNorm2d(_OverProcesses, nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose training statistics cover all processes."""


_SYNCED = {nn.BatchNorm3d: SyncBatchNorm, nn.BatchNorm2d: SyncBatchNorm2d}


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; gradients are summed too, over all their losses."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: torch.Tensor) -> torch.Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, grad: torch.Tensor) -> torch.Tensor:
        total = grad.contiguous().clone()
        dist.all_reduce(total)
        return total


def convert_sync_batchnorm(model: nn.Module) -> nn.Module:
    """Turns every plain batch norm of clips or pictures into one over all processes, in place."""
    for module in model.modules():
        if type(module) in _SYNCED:
            module.__class__ = _SYNCED[type(module)]  # same parameters, same buffers, same keys
    return model
