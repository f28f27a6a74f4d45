"""Starts a flow: in this process, in several new ones, or as one rank that a scheduler started.

`func(cfg)` is the same in all three cases. NUM_GPUS is the number of processes of a machine, as in
SlowFast; without a GPU they are CPU processes over gloo.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import distributed as dist
from torch import multiprocessing as mp

from slowfast_bias import interrupts, preemption
from slowfast_bias.cluster_rank import ClusterRank, processes_per_machine, rank_from_environment
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.decoding.read_frames import backend_version
from slowfast_bias.engine.runtime import children, cores, crashes, heartbeat, ranks
from slowfast_bias.errors import PeerLostError, UserError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)

Flow = Callable[[CfgNode], Any]


def launch(cfg: CfgNode, func: Flow, init_method: str | None = None) -> Any:
    """Runs `func(cfg)` on all the processes that `cfg` or the environment requires.

    Returns what rank 0 returned (on every rank of a scheduler's group: its own), or raises what a
    process raised.
    """
    backend_version(cfg.BIAS.DATA.DECODER)  # raises here, not in a worker, if one is missing
    given = rank_from_environment(os.environ)
    if ranks.together():
        if given is not None:
            ranks.share_machine(processes_per_machine(given, cfg.NUM_GPUS))
        return _here(_sharded(cfg, given), func)
    cuda = cfg.NUM_GPUS > 0 and torch.cuda.is_available()
    if cfg.NUM_GPUS and not cuda:
        log.warning("torch finds no GPU: running on the CPU, %d process(es)", cfg.NUM_GPUS)
    if given is not None:
        _join_given(given, cfg, cuda)
        return _here(_sharded(cfg, given), func)
    world = max(1, cfg.NUM_GPUS) * cfg.NUM_SHARDS
    if world == 1:
        if cuda:
            torch.cuda.set_device(0)
        return _here(cfg, func)
    if cfg.NUM_SHARDS > 1 and init_method is None:
        raise ConfigError(
            [
                f"NUM_SHARDS {cfg.NUM_SHARDS}: expected --init_method tcp://HOST:PORT of the first "
                "machine, to which all of them connect, but got none"
            ]
        )
    return _spawn(cfg, func, world, init_method or f"tcp://127.0.0.1:{free_port()}")


def join_scheduler(cfg: CfgNode) -> None:
    """Joins the group of torchrun or srun, if one of them started this process."""
    given = rank_from_environment(os.environ)
    if given is not None and not ranks.together():
        cuda = cfg.NUM_GPUS > 0 and torch.cuda.is_available()
        _join_given(given, cfg, cuda)


def _join_given(given: ClusterRank, cfg: CfgNode, cuda: bool) -> None:
    """Joins a scheduler's group for all the flows of this process."""
    ranks.join(given, processes_per_machine(given, cfg.NUM_GPUS), cuda)
    ranks.leave_at_exit()
    cores.share_cores()
    _watch(cfg, given.init_method, heartbeat.say_on_stderr)


def _watch(cfg: CfgNode, init_method: str, lost: Callable[[UserError], None]) -> None:
    """Begins the signs of life of this process."""
    limits = heartbeat.Limits(cfg.BIAS.RANK_TIMEOUT, cfg.BIAS.STALL_TIMEOUT)
    heartbeat.keep(heartbeat.start(limits, init_method, lost))


def _here(cfg: CfgNode, func: Flow) -> Any:
    """Runs `func(cfg)` in this process; what the machine does to it is said in words."""
    try:
        with crashes.in_words(cfg):
            return func(cfg)
    except BaseException:
        heartbeat.fail()
        raise


def free_port() -> int:
    """Returns a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _sharded(cfg: CfgNode, given: ClusterRank | None) -> CfgNode:
    """Returns `cfg` with the number of machines that the scheduler gave."""
    if given is None:
        return cfg
    local, sharded = processes_per_machine(given, cfg.NUM_GPUS), cfg.clone()
    sharded.defrost()
    sharded.NUM_SHARDS, sharded.SHARD_ID = max(1, given.world // local), given.rank // local
    sharded.freeze()
    return sharded


def _spawn(cfg: CfgNode, func: Flow, world: int, init_method: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        arguments = (cfg, func, world, init_method, str(result))
        before, lost = set(multiprocessing.active_children()), []
        try:
            with preemption.asked_later():
                with interrupts.sigint_blocked(), _quiet_torch():
                    group = mp.spawn(run_child, arguments, nprocs=max(1, cfg.NUM_GPUS), join=False)
                lost = children.wait_for(group.processes)
            codes = [process.exitcode for process in group.processes]
            if preemption.STATUS in codes or (preemption.asked() and -signal.SIGTERM in codes):
                raise preemption.Preempted  # the latter had only just started
            while not group.join():
                pass
        except preemption.Preempted:
            raise
        except KeyboardInterrupt:
            interrupts.terminate([p for p in multiprocessing.active_children() if p not in before])
            raise
        except (mp.ProcessRaisedException, mp.ProcessExitedException) as crash:
            raise _cause(folder, crash, lost) from crash
        # our own child wrote this file into our own folder, so it is safe to load its objects
        return torch.load(result, weights_only=False) if result.exists() else None


@contextlib.contextmanager
def _quiet_torch() -> Iterator[None]:
    """Keeps processes started in the block from printing traces of C++ when another one has gone.

    What happened is said in words.
    """
    name = "TORCH_CPP_LOG_LEVEL"
    before = os.environ.get(name)
    os.environ.setdefault(name, "ERROR")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def run_child(
    local: int, cfg: CfgNode, func: Flow, world: int, init_method: str, result: str
) -> None:
    """Runs `func(cfg)` as process number `local` of this machine; the first one writes `result`."""
    processes = max(1, cfg.NUM_GPUS)
    save = functools.partial(_save_error, f"{result}.{local}")
    try:
        interrupts.accept_one_sigint()
        preemption.accept()
        rank = ClusterRank(cfg.SHARD_ID * processes + local, world, local, init_method, processes)
        ranks.join(rank, processes, cfg.NUM_GPUS > 0 and torch.cuda.is_available())
        cores.share_cores()
        _watch(cfg, init_method, save)
        value = _here(cfg, func)
        if local == 0:
            torch.save(value, result)
        heartbeat.leave()
    except preemption.Preempted:
        interrupts.exit_quietly(preemption.STATUS)
    except KeyboardInterrupt:
        interrupts.exit_quietly()
    except UserError as error:
        save(error)
        raise
    finally:
        if ranks.together():
            dist.destroy_process_group()


def _save_error(path: str, error: UserError) -> None:
    """Writes an error for the process that started this one; `mp.spawn` passes on only its text."""
    with write_whole(path, "wb") as file:
        torch.save(error, file)


def _cause(folder: str, crash: Exception, lost: children.Lost) -> Exception:
    """Returns the error that a process saved for us to raise again, else the crash itself.

    The process that crashed first may be another one: when one ends, all others fail as well.
    """
    paths = sorted(Path(folder).glob("result.*[0-9]"))
    saved = [torch.load(path, weights_only=False) for path in paths]
    first = [error for error in saved if not isinstance(error, PeerLostError)]
    if first:
        return first[0]
    return crashes.ranks_lost(lost) if lost else (saved or [crash])[0]
