"""`submit`: another command as a job of a cluster, checked before it waits in a queue."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from support.fake_slurm import FakeSlurm, parse

from slowfast_bias import cli
from slowfast_bias.cli import cluster_job, submit
from slowfast_bias.cli.cluster_job import ClusterJob
from slowfast_bias.cli.cluster_runs import jobs_of
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.studies.sweep_runs import plan
from slowfast_bias.errors import RequestError

pytestmark = pytest.mark.host

RUN = ["--cfg", "configs/Toy/SLOW_motion.yaml", "OUTPUT_DIR", "runs/a"]
NET = "configs/Toy/SLOW_debias.yaml"
SWEEP = ["--networks", NET, "--rates", "0.1", "0.5", "--seeds", "0", "1", "--out", "o"]


def arguments(*words):
    return cli.make_parser("submit", submit).parse_known_args(words)[0]


# -- what the jobs do ----------------------------------------------------------------------------


def test_a_run_is_one_job_with_the_gpus_of_the_machines():
    assert jobs_of("run", RUN, 8, 4) == [["run", *RUN, "--opts", "NUM_GPUS", "8"]]


def runs_of(words):
    """The runs that a command of a sweep would do."""
    args = cli.make_parser("sweep", __import__("slowfast_bias.cli.sweep", fromlist=["main"]))
    args, _ = args.parse_known_args(words[1:])
    return plan(args.networks, args.kinds, args.rates, args.temperatures, args.seeds)


def test_the_jobs_of_a_sweep_do_its_runs_each_once():
    runs = plan([NET], rates=[0.1, 0.5], seeds=[0, 1])
    alone = jobs_of("sweep", SWEEP, 1, 1)
    assert [run for words in alone for run in runs_of(words)] == runs and len(alone) == len(runs)
    start = ["--start", "configs/Toy/SLOW_both.yaml"]
    by_seed = jobs_of("sweep", [*SWEEP, *start], 1, 1)  # each trains its own first network
    assert [run for words in by_seed for run in runs_of(words)] == runs and len(by_seed) == 2
    for words in (*alone, *by_seed):
        assert words[words.index("--out") + 1] == "o" and words[-2:] == ["NUM_GPUS", "1"]


def test_the_jobs_of_a_reproduction_are_its_runs():
    found = jobs_of("reproduce", ["fig7", "--toy", "--out", "o"], 2, 1)
    assert len(found) > 2 and all(words[0] == "run" for words in found)
    assert all(dict(zip(w[3::2], w[4::2], strict=True))["NUM_GPUS"] == "2" for w in found)


@pytest.mark.parametrize(
    ("command", "words", "nodes", "says"),
    [
        ("run", [*RUN, "NUM_GPUS", "4"], 1, "--gpus of `submit` in place of NUM_GPUS"),
        ("run", [*RUN, "NUM_SHARDS", "2"], 2, "--nodes of `submit` in place of NUM_SHARDS"),
        ("run", [*RUN, "--shard-id", "1"], 2, "got --shard_id"),
        ("sweep", SWEEP, 2, "--nodes 1, but got 2"),
        ("run", [*RUN, "SOLVER.MAX_EPOC", "4"], 1, "SOLVER.MAX_EPOC"),
        ("sweep", [*SWEEP, "--opts", "BIAS.NO", "1"], 1, "BIAS.NO"),
    ],
)
def test_what_would_fail_is_refused_before_it_waits_in_a_queue(command, words, nodes, says):
    with pytest.raises((RequestError, ConfigError), match=says):
        jobs_of(command, words, 8, nodes)


# -- what the cluster is asked for ---------------------------------------------------------------


def test_machines_have_a_process_per_gpu_and_one_machine_starts_them_itself():
    many = submit.parameters(arguments("run", "--nodes", "4", "--gpus", "8", "--cpus", "10"))
    assert (many["nodes"], many["tasks_per_node"], many["gpus_per_node"]) == (4, 8, 8)
    one = submit.parameters(arguments("run", "--gpus", "8", "--cpus", "10"))
    assert (one["tasks_per_node"], one["cpus_per_task"], many["cpus_per_task"]) == (1, 80, 10)
    assert "gpus_per_node" not in submit.parameters(arguments("run", "--gpus", "0"))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("5:30", 5), ("24:00:00", 1440), ("2-0", 2880), ("1-06:30:59", 1830), ("0:10", 1)],
)
def test_times_are_those_of_slurm(text, minutes):
    assert submit.minutes(text) == minutes


def test_without_submitit_the_command_that_installs_it_is_shown(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert cli.main(["submit", "run", *RUN]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "pip install 'slowfast_bias[slurm]'" in said


# -- on its machines -----------------------------------------------------------------------------


@pytest.mark.parametrize(("rank", "calls"), [("0", [["requeue", "71"]]), ("1", [])])
def test_a_job_that_was_preempted_is_queued_again_by_its_first_process(
    tmp_path, monkeypatch, rank, calls
):
    slurm = FakeSlurm(tmp_path)
    for key, value in {
        "PATH": f"{slurm.bin}:{os.environ['PATH']}", "FAKE_RECORDS": str(slurm.records),
        "SLURM_JOB_ID": "71", "SLURM_PROCID": rank,
    }.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    ends = iter([0, 2, 75])
    monkeypatch.setattr(cli, "main", lambda words: next(ends))
    assert ClusterJob(["run"])() == 0
    for status in (2, 75):
        assert slurm.started("scontrol") == []
        with pytest.raises(SystemExit) as caught:
            ClusterJob(["run"])()
        assert caught.value.code == status
    assert [words for words, _ in slurm.started("scontrol")] == calls


def test_a_cluster_that_cannot_queue_it_is_said(monkeypatch, capsys):
    monkeypatch.setenv("SLURM_JOB_ID", "71")
    refused = cluster_job.subprocess.CompletedProcess([], 1, "", "Job is in no queue\n")
    monkeypatch.setattr(cluster_job.subprocess, "run", lambda *_, **__: refused)
    cluster_job.requeue()
    assert capsys.readouterr().err == "error: scontrol requeue 71: Job is in no queue\n"


# -- with submitit -------------------------------------------------------------------------------


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    fake = FakeSlurm(tmp_path)
    monkeypatch.setenv("PATH", f"{fake.bin}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_RECORDS", str(fake.records))
    return fake


@pytest.mark.parametrize(
    ("words", "jobs"),
    [(["run", *RUN, "--nodes", "2", "--gpus", "4"], 1), (["sweep", *SWEEP, "--gpus", "4"], 10)],
)
def test_what_slurm_is_given_starts_the_command_on_every_process(
    slurm, tmp_path, capsys, words, jobs
):
    from submitit.core.utils import DelayedSubmission

    more = ["--partition", "p", "--slurm", "account=lab", "--jobs", str(tmp_path / "jobs")]
    assert cli.main(["submit", *words, *more]) == 0
    shown = capsys.readouterr().out.splitlines()
    (((path,), _),) = slurm.started("sbatch")
    path = next((tmp_path / "jobs").glob("*.sh"), Path(path))
    flags = parse(path)
    assert (flags.partition, flags.account, flags.gpus_per_node) == ("p", "lab", "4")
    assert flags.requeue and flags.signal == "USR1@600" and flags.open_mode == "append"
    assert flags.array == (None if jobs == 1 else "0-9%10")
    assert slurm.run(path, None if jobs == 1 else 3) == 0
    tasks = 8 if jobs == 1 else 1
    started = [line for line, _ in slurm.started(Path(sys.executable).name)]
    assert len(started) == tasks and all("submitit.core._submit" in line for line in started)
    files = sorted((tmp_path / "jobs").glob("*_submitted.pkl"))
    commands = {shlex.join(DelayedSubmission.load(file).function.words) for file in files}
    assert len(files) == len(commands) == jobs == len(shown) - 1
    assert {line.partition("slowfast_bias ")[2] for line in shown[:-1]} == commands


def test_a_job_runs_in_the_background_of_this_machine(tmp_path):
    submitit = pytest.importorskip("submitit")
    executor = submitit.AutoExecutor(str(tmp_path), cluster="local")
    executor.update_parameters(**submit.parameters(arguments("run", "--gpus", "0")))
    job = executor.submit(ClusterJob(["--version"]))
    assert job.result() == 0 and "slowfast_bias " in job.stdout()


def test_a_machine_without_slurm_is_said(tmp_path, monkeypatch, capsys):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["submit", "run", *RUN, "--jobs", str(tmp_path)]) == 2
    assert "--cluster local" in capsys.readouterr().err
