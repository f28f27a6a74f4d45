"""SIGTERM and SIGUSR1: a checkpoint at the boundary, a status that says to start it again."""

from __future__ import annotations

import os
import signal

import pytest
import torch

from slowfast_bias import engine, preemption
from slowfast_bias.cli.boundary import guarded
from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.training import loop
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


@pytest.mark.parametrize("number", preemption.SIGNALS)
def test_a_command_with_nothing_to_save_ends_at_once_and_is_to_be_started_again(number, capsys):
    before = signal.getsignal(number)
    done = []

    def command():
        os.kill(os.getpid(), number)
        done.append("went on")
        return 0

    assert guarded(command, lambda: "interrupted; the same command goes on") == 75
    assert not done and signal.getsignal(number) is before
    assert capsys.readouterr().err == "preempted (SIGTERM or SIGUSR1); the same command goes on\n"


def test_training_saves_at_the_boundary_and_goes_on_as_if_nothing_had_been(
    tiny, tmp_path, monkeypatch
):
    opts = ["SOLVER.MAX_EPOCH", 3, "TRAIN.CHECKPOINT_PERIOD", 10, "MODEL.DROPOUT_RATE", 0.5]
    opts += ["TRAIN.EVAL_PERIOD", 10, "BN.USE_PRECISE_STATS", True, "BN.NUM_BATCHES_PRECISE", 1]
    opts += ["BIAS.CHECKPOINT_MINUTES", 0]
    unbroken = engine.train(tiny(*opts, "OUTPUT_DIR", str(tmp_path / "unbroken")))
    cfg = tiny(*opts, "OUTPUT_DIR", str(tmp_path / "broken"))
    real = loop.train_epoch

    def preempted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*args)

    monkeypatch.setattr(loop, "train_epoch", preempted)
    assert guarded(lambda: engine.train(cfg) and 0) == 75
    left = Outputs(cfg.OUTPUT_DIR)
    assert left.list_checkpoints() == [left.checkpoint(1)]
    monkeypatch.setattr(loop, "train_epoch", real)
    resumed = engine.train(cfg)
    a, b = (checkpoint.read_checkpoint(x.checkpoint)["model_state"] for x in (unbroken, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


class Told:
    """A data set whose processes get the signals that a scheduler sends to all."""

    streams, views = (), 1

    def __len__(self):
        return 6

    def sample(self, index):
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        return Sample((torch.zeros(1),), 0, index)


def test_workers_leave_the_signals_to_their_parent():
    loader = Loader(Told(), 1, training=False, seed=0, workers=2)
    assert [int(batch.indices) for batch in loader] == list(range(6))
