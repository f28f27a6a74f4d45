"""Bias during training: what is written, and that a failed measurement never ends a run."""

import json

import pytest
import torch

from slowfast_bias import BiasReport, engine
from slowfast_bias.engine.training import periodic_measurement as watching

TINY = [
    *("NUM_GPUS", 0, "BIAS.TOY.NUM_TRAIN", 16, "BIAS.TOY.NUM_VAL", 8, "TRAIN.BATCH_SIZE", 8),
    *("TRAIN.EVAL_PERIOD", 8, "TRAIN.CHECKPOINT_PERIOD", 8, "BIAS.ENABLE", True),
]


def run(path, *options):
    cfg = engine.load_cfg(
        "configs/Toy/SLOW_motion.yaml", [*TINY, "OUTPUT_DIR", str(path), *options]
    )
    return cfg, engine.train(cfg)


def lines(path, kind):
    every = [json.loads(line) for line in (path / "json_stats.log").read_text().splitlines()]
    return [line for line in every if line["_type"] == kind]


def test_every_period_and_the_last_epoch(tmp_path):
    run(tmp_path, "SOLVER.MAX_EPOCH", 3, "BIAS.PERIOD", 2)
    assert sorted(p.name for p in (tmp_path / "bias").glob("epoch*")) == [
        "epoch_00002.json",
        "epoch_00003.json",
    ]
    found = lines(tmp_path, "bias_epoch")
    assert [(x["epoch"], x["layer"]) for x in found[:6]] == [
        ("2/3", layer) for layer in ("s1", "s2", "s3", "s4", "s5", "head")
    ]
    report = BiasReport.load(str(tmp_path / "bias" / "epoch_00003.json"))
    last = found[-1]
    assert last["S_static"] == pytest.approx(report["head"].score("static"), abs=1e-6)
    kinds = ("static", "dynamic", "joint", "residual", "dead")
    assert sum(last[f"{kind}_units"] for kind in kinds) == report["head"].channels
    assert report.meta["epoch"] == 3
    assert (tmp_path / "bias" / "over_epochs.png").stat().st_size > 1000


def test_measuring_does_not_change_the_training(tmp_path):
    _, plain = run(tmp_path / "plain", "SOLVER.MAX_EPOCH", 2)
    _, watched = run(tmp_path / "watched", "SOLVER.MAX_EPOCH", 2, "BIAS.PERIOD", 1)
    a, b = (torch.load(r.checkpoint, weights_only=True)["model_state"] for r in (plain, watched))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_the_final_measurement_is_that_of_the_last_epoch(tmp_path):
    cfg, _ = run(tmp_path, "SOLVER.MAX_EPOCH", 1, "BIAS.PERIOD", 1)
    during = BiasReport.load(str(tmp_path / "bias" / "epoch_00001.json"))
    after = engine.measure(cfg)
    for layer in after.layers:
        gap = after[layer].correlation["static"] - during[layer].correlation["static"]
        assert gap.abs().nan_to_num(0).max() < 1e-6


def test_a_failing_measurement_is_logged_counted_and_survived(tmp_path, monkeypatch):
    def vanish(*_):
        raise FileNotFoundError("clip_7.mp4 is gone")

    monkeypatch.setattr(watching, "measure_networks", vanish)
    _, result = run(tmp_path, "SOLVER.MAX_EPOCH", 2, "BIAS.PERIOD", 1)
    assert result.failed_measurements == 2
    assert result.epochs == 2
    text = (tmp_path / "stdout.log").read_text()
    assert "clip_7.mp4 is gone" in text
    assert "2 so far" in text


def test_period_without_enable_measures_nothing(tmp_path):
    run(tmp_path, "SOLVER.MAX_EPOCH", 1, "BIAS.PERIOD", 1, "BIAS.ENABLE", False)
    assert not (tmp_path / "bias").exists()


def test_tensorboard_gets_scores_and_histograms(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run(tmp_path, "SOLVER.MAX_EPOCH", 1, "BIAS.PERIOD", 1, "TENSORBOARD.ENABLE", True)
    found = events.EventAccumulator(str(tmp_path / "runs"))
    found.Reload()
    assert "Bias/head/S_static" in found.Tags()["scalars"]
    assert "Units/head/static" in found.Tags()["histograms"]


@pytest.mark.ddp
def test_two_processes_watch_without_waiting_for_each_other(tmp_path):
    _, result = run(tmp_path, "SOLVER.MAX_EPOCH", 1, "BIAS.PERIOD", 1, "NUM_GPUS", 2)
    assert result.failed_measurements == 0
    report = BiasReport.load(str(tmp_path / "bias" / "epoch_00001.json"))
    assert report["head"].pairs == {"static": 8, "dynamic": 8}
