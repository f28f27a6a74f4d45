"""Floor 0: which process of a group this one is, if torchrun or srun started it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class ClusterRank(NamedTuple):
    """The rank of one process in a group."""

    rank: int
    world: int
    local_rank: int
    init_method: str
    local_world: int = 0  # processes of this machine; 0: the launcher does not say


def rank_from_environment(env: Mapping[str, str]) -> ClusterRank | None:
    """Returns the rank that torchrun or srun gave to this process; None if neither did.

    srun needs no wrapper: the first host of the node list and a port from the job id make the
    meeting point, unless MASTER_ADDR and MASTER_PORT say otherwise.
    """
    if int(env.get("WORLD_SIZE", 0)) > 1 and "RANK" in env:
        local, local_world = (int(env.get(k, 0)) for k in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
        return ClusterRank(int(env["RANK"]), int(env["WORLD_SIZE"]), local, "env://", local_world)
    # a step's own count comes first: a job of many tasks may have a step of one
    tasks = int(env.get("SLURM_STEP_NUM_TASKS") or env.get("SLURM_NTASKS") or 0)
    if tasks > 1 and "SLURM_PROCID" in env:
        nodes = env.get("SLURM_STEP_NODELIST") or env.get("SLURM_JOB_NODELIST") or "127.0.0.1"
        address = env.get("MASTER_ADDR") or first_host(nodes)
        port = env.get("MASTER_PORT") or str(15000 + int(env.get("SLURM_JOB_ID", 0)) % 20000)
        per_node = env.get("SLURM_STEP_TASKS_PER_NODE") or env.get("SLURM_NTASKS_PER_NODE") or "0"
        local_world = int(re.match(r"\d+", per_node)[0])  # "4(x2)": four on each of two machines
        rank = int(env["SLURM_PROCID"]), tasks, int(env.get("SLURM_LOCALID", 0))
        return ClusterRank(*rank, f"tcp://{address}:{port}", local_world)
    return None


def first_host(node_list: str) -> str:
    """Returns the first name of a SLURM list such as `gpu[03-05,9],login1`."""
    match = re.match(r"([^,\[]+)(?:\[(\w+)[^\]]*\]([^,\[]*))?", node_list)
    return "".join(part or "" for part in match.groups()) if match else node_list


def processes_per_machine(rank: ClusterRank | None, num_gpus: int) -> int:
    """Returns how many processes share a machine: as the launcher says, else NUM_GPUS."""
    return (rank.local_world if rank else 0) or max(1, num_gpus)
