"""The batch scripts: each runs on a SLURM that starts processes and does not work."""

from __future__ import annotations

import pytest
from support import ROOT
from support.fake_slurm import FakeSlurm, parse

from slowfast_bias import engine
from slowfast_bias.cli.cluster_runs import parsed
from slowfast_bias.cluster_rank import processes_per_machine, rank_from_environment

pytestmark = pytest.mark.host

FOLDER = ROOT / "examples" / "slurm"
SCRIPTS = sorted(FOLDER.glob("*.sbatch"))


@pytest.fixture
def slurm(tmp_path):
    return FakeSlurm(tmp_path)


def indices(flags):
    """The numbers of an array; None alone if a script is not one."""
    first, _, last = (flags.array or "").partition("-")
    return range(int(first), int(last) + 1) if flags.array else [None]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_process_knows_its_rank_and_its_command_can_be_run(slurm, path):
    flags = parse(path)
    nodes, gpus = int(flags.nodes), int(flags.gpus_per_node)
    tasks = nodes * int(flags.ntasks_per_node or 1)
    for index in indices(flags):
        assert slurm.run(path, index) == 0
        started = slurm.started("slowfast_bias")
        found = [rank_from_environment(env) for _, env in started]
        assert len(started) == tasks
        if tasks == 1:
            assert found == [None]  # the command starts NUM_GPUS processes by itself
        else:
            assert [rank[:3] for rank in found] == [(r, tasks, r % gpus) for r in range(tasks)]
            assert {rank.init_method for rank in found} == {"tcp://gpu03:15071"}
            assert {processes_per_machine(rank, 1) for rank in found} == {gpus}
        for words, env in (started[0], started[-1]):
            args = parsed(words[0], words[1:])
            files = getattr(args, "cfg_files", None) or getattr(args, "networks", [])
            keys = [word for word in args.opts] or args.figures[1:]
            cfg = engine.load_cfg([ROOT / file for file in files], keys, here=False)
            assert gpus == cfg.NUM_GPUS and env["SRUN_CPUS_PER_TASK"] == flags.cpus_per_task
            if tasks == 1 and words[0] == "run":  # workers and the processes they work for
                assert gpus * (1 + cfg.DATA_LOADER.NUM_WORKERS) <= int(flags.cpus_per_task)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_job_whose_machine_is_wanted_back_is_queued_again_and_no_other(slurm, path):
    flags = parse(path)
    assert flags.requeue and flags.signal.startswith("USR1@") and flags.open_mode == "append"
    index = indices(flags)[0]
    assert slurm.run(path, index, status=75) == 75
    assert [words for words, _ in slurm.started("scontrol")] == [["requeue", "71"]]
    for status in (0, 2):
        assert slurm.run(path, index, status) == status
        assert slurm.started("scontrol") == []
