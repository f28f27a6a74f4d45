"""This process among the others: rank, world size, device, and the few collectives in use."""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import distributed as dist

from slowfast_bias.cluster_rank import processes_per_machine


def together() -> bool:
    """Whether a process group is up."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """The number of this process, 0 when alone."""
    return dist.get_rank() if together() else 0


def world_size() -> int:
    """How many processes work on this run."""
    return dist.get_world_size() if together() else 1


def is_master() -> bool:
    """Whether this process writes the files and the log."""
    return rank() == 0


def device_of(cfg: CfgNode) -> torch.device:
    """The device of this process: its GPU, or the CPU where NUM_GPUS is 0 or there is none."""
    if cfg.NUM_GPUS == 0 or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def local_batch(cfg: CfgNode, size: int) -> int:
    """Clips per process of a batch of ``size`` per machine, as SlowFast counts it."""
    return size // processes_per_machine(cfg) if together() else size


def sum_over_processes(*tensors: torch.Tensor) -> None:
    """Adds each tensor up over all processes, in place."""
    if together():
        for tensor in tensors:
            dist.all_reduce(tensor)


def max_over_processes(*tensors: torch.Tensor) -> None:
    """Replaces each tensor by its largest values over all processes, in place."""
    if together():
        for tensor in tensors:
            dist.all_reduce(tensor, op=dist.ReduceOp.MAX)


def gather_objects(value: Any) -> list[Any]:
    """The values of all processes, in the order of their ranks, on every process."""
    if not together():
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def wait() -> None:
    """Returns when every process has come here."""
    if together():
        dist.barrier()
