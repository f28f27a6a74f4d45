"""This process among the others: rank, world size, device, and the few collectives in use."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from fvcore.common.config import CfgNode
from torch import distributed as dist

from slowfast_bias.cluster_rank import ClusterRank
from slowfast_bias.engine.runtime import stalls

T = TypeVar("T")

# Number of processes of this machine, set once when the group is joined; 0: alone.
_per_machine = 0


def join(rank: ClusterRank, per_machine: int, cuda: bool) -> None:
    """Joins the group of processes as `rank`; with `cuda` each process has a GPU of its own."""
    if cuda:
        # srun may show each process only its own GPU
        torch.cuda.set_device(rank.local_rank % torch.cuda.device_count())
    dist.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=rank.init_method,
        world_size=rank.world,
        rank=rank.rank,
    )
    share_machine(per_machine)


def leave_at_exit() -> None:
    """Leaves a gloo group when this process exits, before Python's own objects are taken apart.

    Gloo's threads may hold tensors longer than the call that they served, and a tensor that is let
    go of after Python has gone aborts the process. NCCL's groups end with the process, as leaving
    one of those waits for the others.
    """
    atexit.register(_leave)


def _leave() -> None:
    if together() and dist.get_backend() == "gloo":
        gc.collect()  # networks that were wrapped for several processes hold the group
        dist.destroy_process_group()


def share_machine(processes: int) -> None:
    """Stores how many processes of the group share this machine."""
    global _per_machine
    _per_machine = processes


def together() -> bool:
    """Returns whether a process group is up."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Returns the number of this process, 0 when alone."""
    return dist.get_rank() if together() else 0


def world_size() -> int:
    """Returns how many processes work on this run."""
    return dist.get_world_size() if together() else 1


def is_master() -> bool:
    """Returns whether this process writes the files and the log."""
    return rank() == 0


def device_of(cfg: CfgNode) -> torch.device:
    """Returns the device of this process: its GPU; the CPU if NUM_GPUS is 0 or there is none."""
    if cfg.NUM_GPUS == 0 or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def local_batch(cfg: CfgNode, size: int) -> int:
    """Returns the clips per process of a batch of `size` per machine, as SlowFast counts it."""
    return size // (_per_machine or max(1, cfg.NUM_GPUS)) if together() else size


def sum_over_processes(*tensors: torch.Tensor) -> None:
    """Replaces each tensor by its sum over all processes, in place."""
    if together():
        for tensor in tensors:
            dist.all_reduce(tensor)
        stalls.step()


def max_over_processes(*tensors: torch.Tensor) -> None:
    """Replaces each tensor by its largest values over all processes, in place."""
    if together():
        for tensor in tensors:
            dist.all_reduce(tensor, op=dist.ReduceOp.MAX)


def gather_objects(value: T) -> list[T]:
    """Returns the values of all processes, in the order of their ranks, on every process."""
    if not together():
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    stalls.step()
    return values


def from_master(value: T) -> T:
    """Returns rank 0's value on every process, so that all decide the same."""
    if not together():
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0)
    stalls.step()
    return values[0]


def all_or_none(work: Callable[[], T]) -> list[T]:
    """Returns what `work` returned on each rank; its error, on every rank, if one failed.

    Without this the others would wait for the failed rank forever. `work` contains no collective.
    """
    try:
        outcome: Any = work()
    except Exception as error:
        if not together():
            raise
        outcome = error
    outcomes = gather_objects(outcome)
    for other in outcomes:
        if isinstance(other, Exception):
            raise other
    return outcomes


def wait() -> None:
    """Returns when every process has reached this call."""
    if together():
        dist.barrier()
        stalls.step()
