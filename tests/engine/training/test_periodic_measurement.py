"""Bias during training: what is written, and that a failed measurement never ends a run."""

import json
from pathlib import Path

import pytest
import torch

from slowfast_bias import BiasReport, engine
from slowfast_bias.engine.measuring import measurement as measuring
from slowfast_bias.engine.training import periodic_measurement as watching
from slowfast_bias.outputs import Outputs

TINY = [
    *("NUM_GPUS", 0, "BIAS.TOY.NUM_TRAIN", 16, "BIAS.TOY.NUM_VAL", 8, "TRAIN.BATCH_SIZE", 8),
    *("TRAIN.EVAL_PERIOD", 8, "TRAIN.CHECKPOINT_PERIOD", 8, "BIAS.ENABLE", True),
]


def config(path, *options):
    return engine.load_cfg(
        "configs/Toy/SLOW_motion.yaml", [*TINY, "OUTPUT_DIR", str(path), *options]
    )


def run(path, *options):
    cfg = config(path, *options)
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


@pytest.fixture
def measured(monkeypatch):
    """The names of the networks of each measurement."""
    calls, real = [], measuring.measure_and_keep

    def measure_and_keep(cfg, networks, *rest, **more):
        calls.append(list(networks))
        return real(cfg, networks, *rest, **more)

    monkeypatch.setattr(measuring, "measure_and_keep", measure_and_keep)
    return calls


def whole_run(path, *options, start=engine.run):
    cfg = config(path, "TEST.ENABLE", False, "BIAS.PERIOD", 1, *options)
    start(cfg)
    return cfg, json.loads(Path(Outputs(str(path)).report()).read_text())


def epoch_report(path, epoch):
    return json.loads(Path(Outputs(str(path)).epoch_report(epoch)).read_text())


@pytest.mark.parametrize("baseline", [False, True])
def test_a_run_measures_its_last_epoch_once(tmp_path, measured, baseline):
    _, final = whole_run(tmp_path, "SOLVER.MAX_EPOCH", 2, "BIAS.BASELINE", baseline)
    assert measured == [["trained"], ["trained"], *([["untrained"]] if baseline else [])]
    last, first = epoch_report(tmp_path, 2), epoch_report(tmp_path, 1)
    assert final["layers"] == last["layers"] != first["layers"]
    assert final["data"] == last["data"]
    outputs = Outputs(str(tmp_path))
    for name in ("csv", "md", "png"):
        assert Path(outputs.report(suffix=name)).stat().st_size > 100
    own = {"epoch", "checkpoint", "config"}  # the only entries that differ
    assert {k: v for k, v in final["meta"].items() if k not in own} == {
        k: v for k, v in last["meta"].items() if k not in own
    }
    assert "epoch" not in final["meta"]
    assert final["meta"]["checkpoint"] == outputs.checkpoint(2)
    assert final["meta"]["config"] == outputs.bias_config
    assert Path(outputs.report("untrained")).exists() == baseline


def test_top_clips_come_from_a_measurement_of_its_own(tmp_path, measured):
    options = ("SOLVER.MAX_EPOCH", 1, "BIAS.TOP_CLIPS", 1, "BIAS.TOP_UNITS", 1)
    _, final = whole_run(tmp_path, *options)
    assert measured == [["trained"], ["trained"]]  # that of the epoch keeps no clips
    assert final["layers"] == epoch_report(tmp_path, 1)["layers"]
    found = json.loads(Path(Outputs(str(tmp_path)).top_clips).read_text())
    assert found["data"]["units"] and found["meta"]["checkpoint"] == final["meta"]["checkpoint"]


def test_other_weights_than_those_of_the_last_epoch_are_measured(tmp_path, measured):
    cfg, _ = whole_run(tmp_path / "a", "SOLVER.MAX_EPOCH", 1)
    assert measured == [["trained"]]
    # nothing is left to train, so nothing was measured on the way
    whole_run(tmp_path / "a", "SOLVER.MAX_EPOCH", 1)
    assert measured == [["trained"]] * 2
    weights = Outputs(cfg.OUTPUT_DIR).checkpoint(1)
    _, final = whole_run(
        tmp_path / "b", "SOLVER.MAX_EPOCH", 1, "TEST.CHECKPOINT_FILE_PATH", weights,
        "RNG_SEED", 5,
    )  # fmt: skip
    assert measured == [["trained"]] * 4
    assert final["meta"]["checkpoint"] == weights
    assert final["layers"] != epoch_report(tmp_path / "b", 1)["layers"]
    assert final["layers"] == epoch_report(tmp_path / "a", 1)["layers"]


def test_a_last_measurement_that_failed_is_made_afterwards(tmp_path, monkeypatch):
    def vanish(*_):
        raise FileNotFoundError("clip_7.mp4 is gone")

    monkeypatch.setattr(watching, "measure_networks", vanish)
    _, final = whole_run(tmp_path, "SOLVER.MAX_EPOCH", 1)
    assert not Path(Outputs(str(tmp_path)).epoch_report(1)).exists()
    assert final["meta"]["videos"] == 8


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
def test_two_processes_watch_without_waiting_for_each_other(tmp_path, two_ranks):
    cfg = config(tmp_path, "SOLVER.MAX_EPOCH", 1, "BIAS.PERIOD", 1, "NUM_GPUS", 2)
    results = two_ranks.run(engine.train, cfg)
    assert [result.failed_measurements for result in results] == [0, 0]
    report = BiasReport.load(str(tmp_path / "bias" / "epoch_00001.json"))
    assert report["head"].pairs == dict.fromkeys(("static", "dynamic", "neither"), 8)


def train_on_a_full_disk(cfg):
    """`engine.run`, where the first process cannot write the reports of epochs."""

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "record", full)
        return engine.run(cfg)["train"].failed_measurements


@pytest.mark.ddp
def test_a_report_that_one_process_cannot_write_makes_none_wait(tmp_path, two_ranks):
    cfg = config(tmp_path, "TEST.ENABLE", False, "BIAS.PERIOD", 1, "SOLVER.MAX_EPOCH", 1,
                 "NUM_GPUS", 2)  # fmt: skip
    assert two_ranks.run(train_on_a_full_disk, cfg) == [1, 0]
    outputs = Outputs(str(tmp_path))
    assert Path(outputs.report()).exists() and not Path(outputs.epoch_report(1)).exists()
    assert "the report after epoch 1 failed" in Path(outputs.log).read_text()


@pytest.mark.ddp
def test_two_processes_measure_their_last_epoch_once(tmp_path, two_ranks):
    start = lambda cfg: two_ranks.run(engine.run, cfg)  # noqa: E731
    _, final = whole_run(tmp_path, "SOLVER.MAX_EPOCH", 1, "NUM_GPUS", 2, start=start)
    last = epoch_report(tmp_path, 1)
    assert final["layers"] == last["layers"]
    assert final["meta"]["processes"] == 2
    assert final["meta"]["seconds"] == last["meta"]["seconds"]  # of the same measurement
