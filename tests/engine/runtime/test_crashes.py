"""What a machine does to a run is one line that says what, and what helps."""

from __future__ import annotations

import os
import signal
import threading

import pytest
import torch
from torch import distributed as dist

from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.runtime import crashes, heartbeat, launcher, ranks, stalls
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.errors import CrashError, OutputError, PeerLostError, UserError

pytestmark = pytest.mark.host


def chained():
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise RuntimeError("[enforce fail at inline_container.cc:672]") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (chained(), OutputError, "No space left on device"),
        (MemoryError("no more"), CrashError, "Lower TRAIN.BATCH_SIZE"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), CrashError, "BIAS.BATCH_SIZE"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), CrashError, "none"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It"),
            CrashError, "/dev/shm",
        ),
        (
            RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:1"),
            PeerLostError, "connection to another one was lost",
        ),
    ],
)  # fmt: skip
def test_what_a_machine_does_is_said_in_one_line(tiny, error, kind, says):
    with pytest.raises(kind) as caught, crashes.in_words(tiny()):
        raise error
    said = str(caught.value)
    assert says in said and "\n" not in said and isinstance(caught.value, UserError)


def test_our_own_bugs_and_words_stay_as_they_are(tiny):
    for error in (ZeroDivisionError("division"), CrashError("said"), RuntimeError("shape (2, 3)")):
        with pytest.raises(type(error)) as caught, crashes.in_words(tiny()):
            raise error
        assert caught.value is error


class Deadly:
    """A data set whose second clip ends the process that decodes it."""

    streams, views = (), 1

    def __len__(self):
        return 4

    def sample(self, index):
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Sample((torch.zeros(1),), 0, index)


def test_a_worker_that_is_killed_is_named_with_the_usual_reason(tiny):
    with pytest.raises(CrashError) as caught, crashes.in_words(tiny()):
        list(Loader(Deadly(), 1, training=False, seed=0, workers=1))
    said = str(caught.value)
    assert "is killed by signal: Killed" in said and "lower DATA_LOADER.NUM_WORKERS" in said
    assert "\n" not in said


# -- a process of several ------------------------------------------------------------------------


def one_dies(cfg):
    if ranks.rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    ranks.wait()


@pytest.mark.ddp
def test_a_rank_that_is_killed_is_one_line_that_says_which(tiny):
    with pytest.raises(CrashError) as caught:
        launcher.launch(tiny("NUM_GPUS", 2), one_dies)
    said = str(caught.value)
    assert "rank 1 (process " in said and "by SIGKILL" in said and "memory was used up" in said
    assert "\n" not in said


# -- signs of life -------------------------------------------------------------------------------


@pytest.fixture
def group(monkeypatch):
    """A function: the signs of life of two ranks, here in one process; and what they gave up."""
    monkeypatch.setattr(heartbeat.ranks, "world_size", lambda: 2)
    ended, found = threading.Event(), []
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setattr(heartbeat, "_GRACE", 0.05)

    def leave(status):
        found.append(status)
        ended.set()

    monkeypatch.setattr(heartbeat.os, "_exit", leave)
    made = []

    def make(rank, *limits):
        monkeypatch.setattr(heartbeat.ranks, "rank", lambda: rank)
        made.append(
            heartbeat.Heartbeat(
                store, heartbeat.Limits(*limits), lambda error: found.append(str(error))
            )
        )
        made[-1].start()
        return made[-1]

    yield make, ended, found
    for one in made:
        one.ended.set()


def test_a_rank_without_a_sign_of_life_is_named_and_the_run_ends(group):
    make, ended, found = group
    make(0, 0.2)  # rank 1 never comes
    assert ended.wait(20)
    assert "rank 1 gives no sign of life" in found[0] and found[1] == 2


def test_a_rank_that_fails_ends_the_others_and_one_that_leaves_does_not(group):
    make, ended, found = group
    first, second = make(0, 600.0), make(1, 600.0)
    first.every = second.every = 0.01
    second.leave()
    first.leave()
    assert first.ended.is_set() and second.ended.is_set() and not found
    assert not any(thread.is_alive() for one in (first, second) for thread in one.threads)
    make(0, 8.0), make(1, 600.0).fail()
    assert ended.wait(20) and "rank 1" in found[0]


def test_a_rank_that_lives_and_makes_no_step_ends_the_run_and_shows_where_it_stands(
    group, monkeypatch, capfd
):
    make, ended, found = group
    monkeypatch.setattr(stalls, "seconds", lambda: 7.0)
    make(0, 600.0, 6.0), make(1, 600.0, 8.0)  # rank 1 would wait longer, and is told
    assert ended.wait(20)
    said = capfd.readouterr().err
    assert "rank 0 made no step for" in found[0] and found[1] == 2
    assert "rank 0 (process " in said and "7 s since a step" in said
    assert "test_crashes.py" in said


def test_items_of_loops_and_messages_to_all_are_steps(monkeypatch):
    noted = []
    monkeypatch.setattr(stalls, "step", lambda: noted.append("step"))
    assert list(progress(iter("ab"), 2, "letters")) == ["a", "b"] and len(noted) == 3
