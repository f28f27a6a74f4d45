"""The seat of this process in a group that torchrun or srun started, read from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from fvcore.common.config import CfgNode


class Place(NamedTuple):
    """The seat of one process in a group."""

    rank: int
    world: int
    local_rank: int
    init_method: str
    local_world: int = 0  # processes of this machine; 0: the launcher does not say


def place_from_environment(env: Mapping[str, str]) -> Place | None:
    """The seat that torchrun or srun gave to this process; None where neither did.

    srun needs no wrapper: the first host of the node list and a port from the job id make the
    meeting point, unless MASTER_ADDR and MASTER_PORT say otherwise.
    """
    if int(env.get("WORLD_SIZE", 0)) > 1 and "RANK" in env:
        local, local_world = (int(env.get(k, 0)) for k in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
        return Place(int(env["RANK"]), int(env["WORLD_SIZE"]), local, "env://", local_world)
    # a step's own count comes first: a job of many tasks may have a step of one
    tasks = int(env.get("SLURM_STEP_NUM_TASKS") or env.get("SLURM_NTASKS") or 0)
    if tasks > 1 and "SLURM_PROCID" in env:
        nodes = env.get("SLURM_STEP_NODELIST") or env.get("SLURM_JOB_NODELIST") or "127.0.0.1"
        address = env.get("MASTER_ADDR") or first_host(nodes)
        port = env.get("MASTER_PORT") or str(15000 + int(env.get("SLURM_JOB_ID", 0)) % 20000)
        per_node = env.get("SLURM_STEP_TASKS_PER_NODE") or env.get("SLURM_NTASKS_PER_NODE") or "0"
        local_world = int(re.match(r"\d+", per_node)[0])  # "4(x2)": four on each of two machines
        seat = int(env["SLURM_PROCID"]), tasks, int(env.get("SLURM_LOCALID", 0))
        return Place(*seat, f"tcp://{address}:{port}", local_world)
    return None


def first_host(node_list: str) -> str:
    """The first name of a SLURM list such as ``gpu[03-05,9],login1``."""
    match = re.match(r"([^,\[]+)(?:\[(\w+)[^\]]*\]([^,\[]*))?", node_list)
    return "".join(part or "" for part in match.groups()) if match else node_list


def processes_per_machine(cfg: CfgNode) -> int:
    """How many processes of a run share a machine: as the launcher says, else NUM_GPUS."""
    place = place_from_environment(os.environ)
    return (place.local_world if place else 0) or max(1, cfg.NUM_GPUS)
