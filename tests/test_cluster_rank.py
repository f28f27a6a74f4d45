"""The rank of a process, read from what torchrun and srun put into the environment."""

from __future__ import annotations

import pytest

from slowfast_bias.cluster_rank import (
    ClusterRank,
    first_host,
    processes_per_machine,
    rank_from_environment,
)


def test_torchrun():
    env = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    assert rank_from_environment(env) == ClusterRank(3, 4, 1, "env://", 2)


SLURM = {
    "SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "41234",
    "SLURM_JOB_NODELIST": "gpu[03-04]", "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
}  # fmt: skip


def test_srun():
    assert rank_from_environment(SLURM) == ClusterRank(5, 8, 1, "tcp://gpu03:16234", 4)


def test_srun_with_a_meeting_point_of_ones_own():
    env = {**SLURM, "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}
    assert rank_from_environment(env).init_method == "tcp://10.0.0.1:29500"


def test_ports_of_any_job_are_ports():
    for job in (0, 1, 19999, 20000, 99_999_999):
        method = rank_from_environment({**SLURM, "SLURM_JOB_ID": str(job)}).init_method
        assert 1024 < int(method.rpartition(":")[2]) < 65536


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"RANK": "0", "WORLD_SIZE": "1"},
        {"WORLD_SIZE": "4"},  # left over in a shell
        {"SLURM_NTASKS": "4"},  # inside an allocation, not started by srun
        {**SLURM, "SLURM_STEP_NUM_TASKS": "1"},  # a step of one in a job of many
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "1"},
    ],
)
def test_alone(env):
    assert rank_from_environment(env) is None


def test_torchrun_inside_a_slurm_job_counts():
    env = {**SLURM, "RANK": "0", "WORLD_SIZE": "2"}
    assert rank_from_environment(env).init_method == "env://"


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu[03-05,9],login1", "gpu03"),
        ("gpu7", "gpu7"),
        ("node-1,node-2", "node-1"),
        ("a[1,3]", "a1"),
        ("rack[2-4]-ib,other", "rack2-ib"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_first_name_of_a_node_list(nodes, first):
    assert first_host(nodes) == first


def test_processes_of_a_machine_are_the_launchers_else_num_gpus():
    rank = rank_from_environment(SLURM)
    assert processes_per_machine(rank, 2) == 4
    assert processes_per_machine(rank._replace(local_world=0), 2) == 2
    assert processes_per_machine(None, 0) == 1
