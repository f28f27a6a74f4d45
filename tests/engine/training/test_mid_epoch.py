"""A run that was stopped inside an epoch ends as one that was not, bit for bit."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import torch

from slowfast_bias import engine, preemption
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.training.meters import TrainMeter
from slowfast_bias.models.weights.readers import read_checkpoint
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host
# Batch norm's statistics, momenta, a generator, scores and counts of StaticDropout must go on.
OPTS = [
    "SOLVER.MAX_EPOCH", 2, "BIAS.TOY.NUM_TRAIN", 24, "TRAIN.EVAL_PERIOD", 10,
    "SOLVER.MOMENTUM", 0.9, "BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.PERIOD", 4,
    "BIAS.STATIC_DROPOUT.EMA", 0.5,
]  # fmt: skip


def stopped(cfg, epoch, step):
    """Trains until an iteration (1-based), in which the machine is wanted back."""
    real = TrainMeter.step

    def signalled(self, at):
        if (self.epoch, at.number) == (epoch, step - 1):
            os.kill(os.getpid(), signal.SIGTERM)
        real(self, at)

    with pytest.MonkeyPatch.context() as patch, preemption.accepting():
        patch.setattr(TrainMeter, "step", signalled)
        with pytest.raises(preemption.Preempted):
            engine.train(cfg)
    ranks.wait()


def trained(cfg):
    """Returns the weights and the rest of the last checkpoint, without what names the folder."""
    path = engine.train(cfg).checkpoint
    state = read_checkpoint(path)
    return {key: state[key] for key in ("model_state", "optimizer_state", "slowfast_bias")}


def lines(cfg, kind):
    text = Path(Outputs(cfg.OUTPUT_DIR).stats).read_text().splitlines()
    found = [line for line in map(json.loads, text) if line["_type"] == kind]
    return [{k: v for k, v in line.items() if k not in ("seconds", "dt_data_share", "RAM_gib")}
            for line in found]  # fmt: skip


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def folder(tiny, tmp_path, name, *opts):
    return tiny(*OPTS, *opts, "OUTPUT_DIR", str(tmp_path / name))


def test_a_run_that_was_stopped_twice_in_one_epoch_ends_as_an_unbroken_one(tiny, tmp_path):
    whole, broken = (folder(tiny, tmp_path, name) for name in ("whole", "broken"))
    outputs = Outputs(broken.OUTPUT_DIR)
    expected = trained(whole)
    for step in (2, 5):
        stopped(broken, 1, step)
        assert torch.load(outputs.mid_epoch, weights_only=True)["mid_epoch"]["step"] == step
        assert outputs.list_checkpoints() == [outputs.checkpoint(1)]
    assert equal(trained(broken), expected)
    assert lines(broken, "train_epoch") == lines(whole, "train_epoch")
    assert lines(broken, "static_dropout") == lines(whole, "static_dropout")
    assert not os.path.exists(outputs.mid_epoch)
    assert "checkpoint" not in os.path.basename(outputs.mid_epoch)  # what the hosts look for


@pytest.mark.ddp
def test_two_processes_that_were_stopped_inside_an_epoch_go_on(tiny, tmp_path, two_ranks):
    whole, broken = (folder(tiny, tmp_path, name, "NUM_GPUS", 2) for name in ("whole", "broken"))
    expected = two_ranks.run(trained, whole)
    two_ranks.run(stopped, broken, 0, 1)
    state = torch.load(Outputs(broken.OUTPUT_DIR).mid_epoch, weights_only=True)["mid_epoch"]
    first, second = (rank["buffers"]["s1.pathway0_stem.bn.running_mean"] for rank in state["ranks"])
    assert not torch.equal(first, second)
    assert all(map(equal, two_ranks.run(trained, broken), expected))


@pytest.mark.parametrize("spoil", ["damage", "config"])
def test_what_cannot_be_gone_on_with_is_said_and_the_epoch_begins_anew(
    tiny, tmp_path, spoil, caplog
):
    cfg = folder(tiny, tmp_path, "broken")
    stopped(cfg, 1, 2)
    path = Outputs(cfg.OUTPUT_DIR).mid_epoch
    if spoil == "damage":
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            file.write(bytes(64))
    else:
        cfg = folder(tiny, tmp_path, "broken", "SOLVER.BASE_LR", 0.02)
    engine.train(cfg)
    log = Path(Outputs(cfg.OUTPUT_DIR).log).read_text()
    assert "the epoch that was going on begins anew" in log and path in log
    assert "resuming epoch" not in log
    assert [line["epoch"] for line in lines(cfg, "train_epoch")] == ["1/2", "2/2"]


def test_what_was_due_after_the_last_epoch_is_made_up_for(tiny):
    opts = ["SOLVER.MAX_EPOCH", 2, "BIAS.ENABLE", True, "BIAS.PERIOD", 1, "BIAS.LAYERS", ["s5"]]
    cfg = tiny(*opts, "BIAS.TOY.NUM_VAL", 4)
    engine.train(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    report, stats = Path(outputs.epoch_report(2)), Path(outputs.stats)
    before = lines(cfg, "val_epoch")[-1], json.loads(report.read_text())["layers"]
    left = stats.read_text().replace('"val_epoch"', '"lost"')
    stats.write_text(left)
    report.unlink()
    assert engine.train(cfg).train is None
    found = {**lines(cfg, "val_epoch")[-1], "min_top1_err": before[0]["min_top1_err"]}
    assert (found, json.loads(report.read_text())["layers"]) == before
