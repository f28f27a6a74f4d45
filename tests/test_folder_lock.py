"""One call at a time in a folder; what dead processes leave is taken over and swept."""

from __future__ import annotations

import os
import socket
import time

import pytest

from slowfast_bias import folder_lock
from slowfast_bias.errors import OutputError
from slowfast_bias.folder_lock import alone_in, sweep_temporary

HOLD = """
import sys, time
from slowfast_bias.folder_lock import alone_in
with alone_in(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that is at work in a folder."""
    import subprocess
    import sys

    from support import ROOT

    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_other_call_is_named_and_its_end_by_any_means_frees_the_folder(tmp_path, holder):
    who = f"another call writes there: process {holder.pid} on {socket.gethostname()}"
    with pytest.raises(OutputError, match=who), alone_in(tmp_path):
        pass
    holder.kill()
    holder.wait()
    assert os.listdir(tmp_path) == [".lock"]  # left by the dead
    here = f"process {os.getpid()} on"
    with alone_in(tmp_path), pytest.raises(OutputError, match=here), alone_in(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_a_holder_on_another_machine_is_believed_while_it_shows_life(tmp_path, monkeypatch):
    lock = tmp_path / ".lock"
    lock.write_text("elsewhere 77 -\n")  # and this disk's locks do not reach that machine
    with pytest.raises(OutputError, match="process 77 on elsewhere"), alone_in(tmp_path):
        pass
    long_ago = time.time() - 1000
    os.utime(lock, (long_ago, long_ago))
    with alone_in(tmp_path):
        assert lock.read_text().split()[1] == str(os.getpid())


def test_a_job_that_slurm_starts_again_takes_over_its_own_folder(tmp_path, monkeypatch):
    (tmp_path / ".lock").write_text("elsewhere 77 4242\n")
    monkeypatch.setenv("SLURM_JOB_ID", "4243")
    with pytest.raises(OutputError, match="elsewhere"), alone_in(tmp_path):
        pass
    monkeypatch.setenv("SLURM_JOB_ID", "4242")
    with alone_in(tmp_path):
        pass


def test_half_written_files_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path, holder):
    (tmp_path / "checkpoints").mkdir()
    dead = tmp_path / "checkpoints" / "checkpoint_epoch_00002.pyth.999999999.tmp"
    kept = [tmp_path / f"report.json.{holder.pid}.tmp", tmp_path / "notes.tmp"]
    for path in (dead, *kept):
        path.write_text("half")
    assert sweep_temporary(str(tmp_path)) == [str(dead)]
    assert all(path.exists() for path in kept)
    assert folder_lock.is_alive(os.getpid()) and not folder_lock.is_alive(999999999)
