"""What a step found is read after the next step was asked for, and before anything is kept."""

from __future__ import annotations

import os

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.engine.runtime.arriving import Arriving
from slowfast_bias.engine.runtime.save_clock import SaveClock
from slowfast_bias.engine.tasks.classification import Accuracy, Classification
from slowfast_bias.engine.training import loop
from slowfast_bias.errors import NotFiniteError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = pytest.mark.host
STEPS = 6  # of an epoch
SHORT = ["SOLVER.MAX_EPOCH", 1, "BIAS.TOY.NUM_TRAIN", 24, "TRAIN.BATCH_SIZE", 4]


def numbered_losses(patch, change=lambda step, loss: loss):
    """Returns the list to which each loss that is computed or read is added."""
    events, compute, read = [], Classification.loss, Arriving.tolist

    def computed(self, output, batch):
        loss = compute(self, output, batch)
        step = sum(kind == "asked" for kind, _ in events)
        events.append(("asked", step))
        loss = change(step, loss)
        loss.step = step
        return loss

    def arriving(self, tensor):
        begin(self, tensor)
        self.step = getattr(tensor, "step", None)

    def was_read(self):
        if self.step is not None:
            events.append(("read", self.step))
        return read(self)

    begin = Arriving.__init__
    patch.setattr(Classification, "loss", computed)
    patch.setattr(Arriving, "__init__", arriving)
    patch.setattr(Arriving, "tolist", was_read)
    return events


def test_a_loss_is_read_once_the_next_step_was_asked_for(tiny, monkeypatch):
    monkeypatch.setattr(SaveClock, "due", lambda self: False)
    events = numbered_losses(monkeypatch)
    engine.train(tiny(*SHORT))
    expected = [("asked", 0)]
    for step in range(1, STEPS):
        expected += [("asked", step), ("read", step - 1)]
    assert events == [*expected, ("read", STEPS - 1)]


@pytest.mark.parametrize("bad", [2, STEPS - 1])
def test_no_file_holds_a_step_whose_loss_was_not_finite(tiny, monkeypatch, bad):
    monkeypatch.setattr(SaveClock, "due", lambda self: True)
    numbered_losses(monkeypatch, lambda step, loss: loss * float("nan") if step == bad else loss)
    cfg = tiny(*SHORT)
    with pytest.raises(NotFiniteError):
        engine.train(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    assert read_result(outputs.not_finite, "not_finite").data["iteration"] == bad + 1
    assert not outputs.list_checkpoints()
    kept = torch.load(outputs.mid_epoch, weights_only=True)
    assert kept["mid_epoch"]["step"] == bad
    assert all(x.isfinite().all() for x in kept["model_state"].values())


def test_figures_to_come_are_those_of_the_scores_as_they_were():
    scores = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.7, 0.3], [float("nan"), 1.0]])
    later = Accuracy.to_come(scores, torch.tensor([1, 0, 1, 1]))
    scores.zero_()
    assert later() == Accuracy(clips=4, top1=2, top5=3)


@pytest.mark.gpu
def test_a_training_step_on_a_gpu_does_not_wait_for_it(tiny, monkeypatch):
    real = loop.train_epoch

    def strict(*args):
        torch.cuda.set_sync_debug_mode("error")
        try:
            return real(*args)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    engine.train(tiny(*SHORT, "NUM_GPUS", 1))  # warm-up
    monkeypatch.setattr(loop, "train_epoch", strict)
    cfg = tiny(*SHORT, "NUM_GPUS", 1, "TRAIN.AUTO_RESUME", False)
    assert os.path.isfile(engine.train(cfg).checkpoint)
