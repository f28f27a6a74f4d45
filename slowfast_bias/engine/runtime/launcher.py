"""Starting a flow: in this process, in several new ones, or as one rank that a scheduler started.

``func(cfg)`` is the same in all three cases. NUM_GPUS is the number of processes of a machine, as
SlowFast has it; without a GPU they are CPU processes over gloo.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import distributed as dist
from torch import multiprocessing as mp

from slowfast_bias import interrupts
from slowfast_bias.cluster_rank import Place, place_from_environment, processes_per_machine
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.decoding.read_frames import backend_version
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import UserError

log = logging.getLogger(__name__)

Flow = Callable[[CfgNode], Any]


def launch(cfg: CfgNode, func: Flow, init_method: str | None = None) -> Any:
    """Runs ``func(cfg)`` on all the processes that ``cfg`` or the environment asks for.

    Returns what rank 0 returned (on every rank of a scheduler's group: its own), or raises what a
    process raised.
    """
    backend_version(cfg.BIAS.DATA.DECODER)  # a missing one, said now, not by a worker
    if ranks.together():
        return func(_sharded(cfg))
    if cfg.NUM_GPUS and not torch.cuda.is_available():
        log.warning("no GPU that torch can see: running on the CPU, %d process(es)", cfg.NUM_GPUS)
    place = place_from_environment(os.environ)
    if place is not None:
        _join(cfg, place)
        return func(_sharded(cfg))
    world = max(1, cfg.NUM_GPUS) * cfg.NUM_SHARDS
    if world == 1:
        if ranks.device_of(cfg).type == "cuda":
            torch.cuda.set_device(0)
        return func(cfg)
    if cfg.NUM_SHARDS > 1 and init_method is None:
        raise ConfigError(
            [
                f"NUM_SHARDS {cfg.NUM_SHARDS}: expected --init_method tcp://HOST:PORT of the first "
                "machine, where all of them meet, but got none"
            ]
        )
    return _spawn(cfg, func, world, init_method or f"tcp://127.0.0.1:{_free_port()}")


def _sharded(cfg: CfgNode) -> CfgNode:
    """``cfg`` with the number of machines that the scheduler really gave."""
    place = place_from_environment(os.environ)
    if place is None:
        return cfg
    local, seated = processes_per_machine(cfg), cfg.clone()
    seated.defrost()
    seated.NUM_SHARDS, seated.SHARD_ID = max(1, place.world // local), place.rank // local
    seated.freeze()
    return seated


def _join(cfg: CfgNode, place: Place) -> None:
    cuda = cfg.NUM_GPUS > 0 and torch.cuda.is_available()
    if cuda:
        # srun may show each process its own GPU only
        torch.cuda.set_device(place.local_rank % torch.cuda.device_count())
    dist.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=place.init_method,
        world_size=place.world,
        rank=place.rank,
    )


def _spawn(cfg: CfgNode, func: Flow, world: int, init_method: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        arguments = (cfg, func, world, init_method, str(result))
        before = set(multiprocessing.active_children())
        try:
            with interrupts.held_back():
                group = mp.spawn(_child, args=arguments, nprocs=max(1, cfg.NUM_GPUS), join=False)
            while not group.join():
                pass
        except KeyboardInterrupt:
            interrupts.stop([p for p in multiprocessing.active_children() if p not in before])
            raise
        except (mp.ProcessRaisedException, mp.ProcessExitedException) as crash:
            raise _cause(folder, crash) from crash
        # a file that our own child wrote into our own folder, so its objects may be loaded
        return torch.load(result, weights_only=False) if result.exists() else None


def _child(local: int, cfg: CfgNode, func: Flow, world: int, init: str, result: str) -> None:
    try:
        interrupts.mind()
        _share_cores(max(1, cfg.NUM_GPUS))
        _join(cfg, Place(cfg.SHARD_ID * max(1, cfg.NUM_GPUS) + local, world, local, init))
        value = func(cfg)
        if local == 0:
            torch.save(value, result)
    except KeyboardInterrupt:
        interrupts.leave()
    except UserError as error:
        torch.save(error, f"{result}.{local}")  # `mp.spawn` would pass on its text alone
        raise
    finally:
        if ranks.together():
            dist.destroy_process_group()


def _share_cores(processes: int) -> None:
    """Gives this process its part of the cores, unless OMP_NUM_THREADS says how many.

    More threads than cores wait for each other in loops: a step takes minutes instead of a second.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))


def _cause(folder: str, crash: Exception) -> Exception:
    """The error that a process left for us to raise again, else the crash itself.

    Whatever process crashed first: the others fail when one is gone, and only one knows why.
    """
    left = sorted(Path(folder).glob("result.*"))
    return torch.load(left[0], weights_only=False) if left else crash


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
