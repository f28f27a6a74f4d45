"""Ctrl-C: one line, status 130, nobody left over, nothing half-written."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support import warm

from slowfast_bias.cli.boundary import guarded
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.outputs import Outputs
from slowfast_bias.preemption import Preempted

pytestmark = pytest.mark.host

RUN = "import sys\nfrom slowfast_bias.run import main\nsys.exit(main(sys.argv[1:]))"


def alive(group):
    """Processes of a session that are more than an entry in a table."""
    listed = subprocess.run(["ps", "-wweo", "sid,stat,args"], capture_output=True, text=True).stdout
    rows = [row.split(None, 2) for row in listed.splitlines()[1:]]
    return [row for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


def interrupted(cfg, everybody, ready):
    """Status and stderr of a run that gets SIGINT, alone or with its group, once it is ready."""
    path = f"{cfg.OUTPUT_DIR}.yaml"
    Path(path).write_text(cfg.dump())
    process = warm.start(["-c", RUN, "--cfg", path], start_new_session=True)
    try:
        deadline = time.monotonic() + 300
        while not ready(process.pid):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        status = process.wait(90)
        deadline = time.monotonic() + 30
        while alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert alive(process.pid) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return status, process.communicate()[1]


def in_second_epoch(cfg):
    log = Path(cfg.OUTPUT_DIR, "json_stats.log")
    return lambda _: log.exists() and '"epoch": "2/99"' in log.read_text()


# Ctrl-C in a terminal reaches all processes, `kill -INT` the first one alone.
@pytest.mark.parametrize(
    ("gpus", "workers", "everybody"),
    [(1, 2, True), pytest.param(2, 0, False, marks=pytest.mark.ddp)],
)
def test_ctrl_c_ends_all_processes_with_one_line(tiny, gpus, workers, everybody):
    cfg = tiny(
        "SOLVER.MAX_EPOCH", 99, "NUM_GPUS", gpus, "DATA_LOADER.NUM_WORKERS", workers,
        "BIAS.TOY.NUM_TRAIN", 8, "BIAS.TOY.NUM_VAL", 1,
    )  # fmt: skip
    status, said = interrupted(cfg, everybody, in_second_epoch(cfg))
    assert status == 130
    assert said.splitlines() == [
        f"interrupted; the checkpoints in {cfg.OUTPUT_DIR} are whole, the same command goes on"
    ]
    for path in Outputs(cfg.OUTPUT_DIR).list_checkpoints():
        checkpoint.read_checkpoint(path)
    assert not list(Path(cfg.OUTPUT_DIR).rglob("*.tmp"))


@pytest.mark.ddp
def test_ctrl_c_while_the_processes_start(tiny):
    cfg = tiny("SOLVER.MAX_EPOCH", 99, "NUM_GPUS", 2)
    started = lambda group: sum("spawn_main" in row[2] for row in alive(group)) == 2  # noqa: E731
    status, said = interrupted(cfg, True, started)
    assert status == 130 and len(said.splitlines()) == 1


class Interrupted:
    """A signal comes while it is destructed: Python ignores what is raised there."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_signal_that_python_ignored_ends_the_work_at_its_next_step(number, status, capsys):
    done = []

    def work():
        for k in progress(range(5), 5, "steps"):
            done.append(k)
            if k == 1:
                Interrupted(number)
        return 0

    assert guarded(work) == status
    assert done == [0, 1]
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert guarded(lambda: len(list(progress(range(5), 5, "steps")))) == 5  # the next is another
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt, 130), (Preempted, 75)])
def test_an_error_of_what_was_interrupted_is_no_error_of_ours(stop, status, capsys):
    def work():
        try:
            raise stop
        finally:  # as torch does, whose archive is not whole
            raise RuntimeError("unexpected position")

    assert guarded(work) == status
    assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(RuntimeError, match="own"):
        guarded(lambda: (_ for _ in ()).throw(RuntimeError("own")))
