"""The training loop: what its options do, what it leaves behind, and where it stops."""

from __future__ import annotations

import glob
import json
import math
import os
from pathlib import Path

import pytest
import torch

from slowfast_bias import engine, host
from slowfast_bias.config import load_cfg
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.training import loop
from slowfast_bias.errors import DataError, UserError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


# one learning rate throughout, so that the length of the schedule does not matter
CONSTANT = ["SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.STEPS", [0], "SOLVER.LRS", [1]]


def weights(result):
    return checkpoint.read_checkpoint(result.checkpoint)["model_state"]


def equal(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def lines(cfg, kind=None):
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        found = [json.loads(line) for line in file]
    return [line for line in found if kind is None or line["_type"] == kind]


@pytest.fixture
def run(tiny, tmp_path):
    """A function: trains the tiny config with changes in a folder of its own."""

    def start(name, *opts):
        return engine.train(tiny("OUTPUT_DIR", str(tmp_path / name), *opts))

    return start


def test_a_run_leaves_its_config_log_lines_and_checkpoints(tiny):
    cfg = tiny()
    result = engine.train(cfg)
    assert sorted(os.listdir(cfg.OUTPUT_DIR)) == [
        "checkpoints", "config.yaml", "json_stats.log", "stdout.log",
    ]  # fmt: skip
    assert sorted(os.listdir(f"{cfg.OUTPUT_DIR}/checkpoints")) == [
        "checkpoint_epoch_00001.pyth", "checkpoint_epoch_00002.pyth",
    ]  # fmt: skip
    assert load_cfg(f"{cfg.OUTPUT_DIR}/config.yaml").dump() == cfg.dump()
    kinds = [line["_type"] for line in lines(cfg)]
    assert kinds == ["train_iter", "train_iter", "train_epoch", "val_epoch"] * 2
    assert result.val == {**result.val, "clips": 5, "dropped": 0}
    assert result.checkpoint.endswith("epoch_00002.pyth")
    text = Path(f"{cfg.OUTPUT_DIR}/stdout.log").read_text()
    assert text.count("json_stats") == 8


def test_log_lines_agree_with_each_other(tiny):
    cfg = tiny("LOG_PERIOD", 1)
    result = engine.train(cfg)
    for number in (1, 2):
        steps = [x for x in lines(cfg, "train_iter") if x["epoch"] == f"{number}/2"]
        (epoch,) = [x for x in lines(cfg, "train_epoch") if x["epoch"] == f"{number}/2"]
        assert [x["iter"] for x in steps] == ["1/2", "2/2"]
        for key in ("loss", "top1_err"):
            assert epoch[key] == pytest.approx(sum(x[key] for x in steps) / 2, abs=1e-5)
    assert result.train["loss"] == pytest.approx(epoch["loss"], abs=1e-6)


def test_same_seed_same_weights_and_another_seed_others(run):
    a, b, c = run("a"), run("b"), run("c", "RNG_SEED", 4)
    assert equal(weights(a), weights(b)) and not equal(weights(a), weights(c))


def test_the_loop_does_what_a_plain_one_does(tiny, run, packed):
    """The bit-for-bit reference: the same steps written out by hand."""
    result = run("loop")
    cfg = tiny()
    from slowfast_bias.engine.setup import network
    from slowfast_bias.engine.setup.loaders import build_loader

    model = network.build_network(cfg)
    optimizer = host.construct_optimizer(model, cfg)
    loader = build_loader(cfg, "train")
    for epoch in range(cfg.SOLVER.MAX_EPOCH):
        model.train()
        loader.set_epoch(epoch)
        for step, batch in enumerate(loader):
            for group in optimizer.param_groups:
                group["lr"] = host.lr_at(epoch + step / len(loader), cfg)
            loss = torch.nn.functional.cross_entropy(model(packed(cfg, batch)), batch.targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert equal(weights(result), model.state_dict())


def test_clipping_has_its_effect(run):
    free, norm, value = (
        run("free"), run("norm", "SOLVER.CLIP_GRAD_L2NORM", 1e-3),
        run("value", "SOLVER.CLIP_GRAD_VAL", 1e-6),
    )  # fmt: skip
    loose = run("loose", "SOLVER.CLIP_GRAD_L2NORM", 1e6)
    assert equal(weights(free), weights(loose))
    assert not equal(weights(free), weights(norm)) and not equal(weights(free), weights(value))


def test_steps_are_no_longer_than_the_clipped_norm(tiny, run):
    opts = ["SOLVER.CLIP_GRAD_L2NORM", 0.01, "SOLVER.MAX_EPOCH", 1, "TRAIN.BATCH_SIZE", 8]
    opts += ["SOLVER.BASE_LR", 1.0, "SOLVER.WEIGHT_DECAY", 0.0, "BN.WEIGHT_DECAY", 0.0]
    from slowfast_bias.engine.setup import network

    cfg = tiny(*opts, "SOLVER.MOMENTUM", 0.0, "SOLVER.NESTEROV", False)
    before = {k: v.clone() for k, v in network.build_network(cfg).named_parameters()}
    after = weights(engine.train(cfg))
    moved = math.sqrt(sum(float((after[k] - v).square().sum()) for k, v in before.items()))
    assert moved == pytest.approx(0.01, rel=1e-2)


def test_mixed_precision_on_a_cpu_is_another_arithmetic_of_the_same_training(run):
    full = run("full", "SOLVER.BASE_LR", 1e-3)
    half = run("half", "SOLVER.BASE_LR", 1e-3, "TRAIN.MIXED_PRECISION", True)
    assert not equal(weights(full), weights(half))
    assert half.train["loss"] == pytest.approx(full.train["loss"], rel=0.05)
    assert all(value.dtype != torch.bfloat16 for value in weights(half).values())


def test_channels_last_is_another_layout_of_the_same_training(run, monkeypatch):
    layouts = []
    real = loop.train_epoch

    def look(cfg, task, model, *rest):
        convs = [x for x in model.modules() if isinstance(x, torch.nn.Conv3d)]
        last = torch.channels_last_3d
        layouts.append({x.weight.is_contiguous(memory_format=last) for x in convs})
        return real(cfg, task, model, *rest)

    monkeypatch.setattr(loop, "train_epoch", look)
    one = "SOLVER.MAX_EPOCH", 1
    usual, last = run("usual", *one), run("last", *one, "BIAS.TRAIN_CHANNELS_LAST", True)
    assert layouts[-1] == {True} != layouts[0]
    assert last.train["loss"] == pytest.approx(usual.train["loss"], rel=1e-3)
    found = weights(last)
    for name, weight in weights(usual).items():
        torch.testing.assert_close(found[name], weight, rtol=1e-2, atol=1e-4)


def test_precise_statistics_replace_the_running_ones_and_nothing_else(run, tiny, packed):
    opts = ["SOLVER.MAX_EPOCH", 1]
    plain = run("plain", *opts)
    precise = run("precise", *opts, "BN.USE_PRECISE_STATS", True, "BN.NUM_BATCHES_PRECISE", 200)
    a, b = weights(plain), weights(precise)
    changed = {name for name in a if not torch.equal(a[name], b[name])}
    assert changed and all("running" in name or "num_batches" in name for name in changed)
    # the stem's input does not depend on other statistics: its mean is that of the training clips
    from slowfast_bias.engine.setup import network
    from slowfast_bias.engine.setup.loaders import build_loader
    from slowfast_bias.models.weights.fit import load_weights

    cfg = tiny(*opts)
    model = network.build_network(cfg)
    load_weights(model, b, "b")
    clips = torch.cat([packed(cfg, batch)[0] for batch in build_loader(cfg, "train")])
    with torch.no_grad():
        seen = model.s1.pathway0_stem.conv(clips)
    torch.testing.assert_close(
        b["s1.pathway0_stem.bn.running_mean"], seen.mean((0, 2, 3, 4)), rtol=1e-3, atol=1e-5
    )


def test_evaluation_and_checkpoints_come_every_period_and_at_the_end(tiny):
    cfg = tiny(
        "SOLVER.MAX_EPOCH", 5, "TRAIN.EVAL_PERIOD", 2, "TRAIN.CHECKPOINT_PERIOD", 3,
        "LOG_PERIOD", 100,
    )  # fmt: skip
    engine.train(cfg)
    assert [x["epoch"] for x in lines(cfg, "val_epoch")] == ["2/5", "4/5", "5/5"]
    kept = sorted(os.listdir(f"{cfg.OUTPUT_DIR}/checkpoints"))
    assert [name[-7:-5] for name in kept] == ["03", "05"]
    assert not lines(cfg, "train_iter")


def test_validation_does_not_change_training(run):
    a = run("a", "TRAIN.EVAL_PERIOD", 1)
    b = run("b", "TRAIN.EVAL_PERIOD", 10)
    assert equal(weights(a), weights(b))


def test_fewer_than_five_classes(tiny):
    cfg = tiny()
    assert cfg.MODEL.NUM_CLASSES < 5
    assert engine.train(cfg).val["top5_err"] == 0.0
    assert engine.test(cfg).top5 == 100.0


def test_a_loss_that_is_no_number_stops_the_run_with_epoch_and_iteration(tiny):
    cfg = tiny("SOLVER.BASE_LR", 1e30)
    with pytest.raises(FloatingPointError, match=r"epoch 1, iteration 2.*BASE_LR") as caught:
        engine.train(cfg)
    assert cfg.OUTPUT_DIR in str(caught.value) and isinstance(caught.value, UserError)


def test_a_list_smaller_than_a_batch_is_refused(tiny):
    with pytest.raises(DataError, match=r"8 clips and a batch 16.*TRAIN\.BATCH_SIZE"):
        engine.train(tiny("TRAIN.BATCH_SIZE", 16))


def test_class_counts_of_the_data_and_of_the_network_must_agree(tiny):
    with pytest.raises(DataError, match=r"MODEL\.NUM_CLASSES 4 for .*got 7"):
        engine.train(tiny("MODEL.NUM_CLASSES", 7))


def test_an_output_dir_that_cannot_be_written_to(tiny):
    with pytest.raises(PermissionError, match="OUTPUT_DIR '/dev/null/x'"):
        engine.train(tiny("OUTPUT_DIR", "/dev/null/x"))


# -- what a run continues from -------------------------------------------------------------------


def test_a_longer_schedule_continues_where_the_shorter_one_ended(tiny, run):
    whole = run("whole", *CONSTANT, "SOLVER.MAX_EPOCH", 3)
    run("parts", *CONSTANT, "SOLVER.MAX_EPOCH", 1)
    again = run("parts", *CONSTANT, "SOLVER.MAX_EPOCH", 3)
    assert equal(weights(whole), weights(again))


def test_a_finished_run_is_left_as_it_is(tiny):
    cfg = tiny()
    first = engine.train(cfg)
    stamp = os.stat(first.checkpoint).st_mtime_ns
    again = engine.train(cfg)
    assert (again.train, again.val, again.checkpoint) == (None, None, first.checkpoint)
    assert os.stat(first.checkpoint).st_mtime_ns == stamp
    assert len(lines(cfg, "train_epoch")) == 2


@pytest.mark.parametrize("lost", [[3], [2, 3], [1, 2, 3]])
def test_a_resumed_run_logs_the_best_error_of_an_unbroken_one(tiny, tmp_path, monkeypatch, lost):
    """Those of epochs that were validated, but are trained again, do not count."""
    from slowfast_bias.engine.training import validation

    plan, real = iter([40.0, 20.0, 60.0, 50.0]), validation.validate

    def validate(*arguments):
        return {**real(*arguments), "top1_err": next(plan)}

    monkeypatch.setattr(validation, "validate", validate)
    words = [*CONSTANT, "SOLVER.MAX_EPOCH", 4]
    unbroken = tiny(*words, "OUTPUT_DIR", str(tmp_path / "unbroken"))
    engine.train(unbroken)
    wanted = [x["min_top1_err"] for x in lines(unbroken, "val_epoch")]
    assert wanted == [40, 20, 20, 20]
    # three epochs, of which the last was luckier than it will be
    broken = [*words, "OUTPUT_DIR", str(tmp_path / "broken")]
    plan = iter([40.0, 20.0, 1.0])
    engine.train(tiny(*broken, "SOLVER.MAX_EPOCH", 3))
    for epoch in lost:
        os.remove(Outputs(str(tmp_path / "broken")).checkpoint(epoch))
    plan = iter([40.0, 20.0, 60.0, 50.0][lost[0] - 1 :])
    cfg = tiny(*broken)
    engine.train(cfg)
    again = lines(cfg, "val_epoch")[3:]
    assert [x["epoch"] for x in again] == [f"{epoch}/4" for epoch in range(lost[0], 5)]
    assert [x["min_top1_err"] for x in again] == wanted[lost[0] - 1 :]


def test_a_resumed_run_logs_the_validations_of_an_unbroken_one(tiny, tmp_path):
    words = [*CONSTANT, "SOLVER.MAX_EPOCH", 3]
    unbroken, broken = (tiny(*words, "OUTPUT_DIR", str(tmp_path / n)) for n in ("whole", "parts"))
    engine.train(unbroken)
    engine.train(tiny(*words, "OUTPUT_DIR", broken.OUTPUT_DIR, "SOLVER.MAX_EPOCH", 2))
    engine.train(broken)
    (wanted,), (got,) = (
        [x for x in lines(cfg, "val_epoch") if x["epoch"] == "3/3"] for cfg in (unbroken, broken)
    )
    assert got == wanted


def test_without_auto_resume_a_run_starts_afresh(tiny):
    cfg = tiny("TRAIN.AUTO_RESUME", False)
    first = weights(engine.train(cfg))
    assert equal(first, weights(engine.train(cfg)))
    assert len(lines(cfg, "train_epoch")) == 4


def test_a_truncated_newest_checkpoint_is_passed_over(tiny, run):
    cfg = tiny()
    wanted = weights(run("other"))
    result = engine.train(cfg)
    with open(result.checkpoint, "r+b") as file:
        file.truncate(1000)
    again = engine.train(cfg)
    assert equal(weights(again), wanted)
    assert len(lines(cfg, "train_epoch")) == 3


def test_another_network_in_the_same_folder_is_refused_and_harms_nothing(tiny):
    result = engine.train(tiny())
    before = Path(result.checkpoint).read_bytes()
    with pytest.raises(checkpoint.CheckpointError, match=r"other shapes.*MODEL\.ARCH"):
        engine.train(tiny("MODEL.ARCH", "i3d"))
    assert Path(result.checkpoint).read_bytes() == before


def test_finetuning_starts_from_weights_and_needs_leave_for_new_classes(tiny, run):
    source = run("source").checkpoint
    start = ["TRAIN.CHECKPOINT_FILE_PATH", source, "BIAS.TOY.MOTION", "orbit2"]
    start += ["MODEL.NUM_CLASSES", 2, "SOLVER.MAX_EPOCH", 1]
    with pytest.raises(checkpoint.CheckpointError, match="has 4 classes, MODEL.NUM_CLASSES is 2"):
        run("refused", *start)
    still = ["SOLVER.BASE_LR", 0.0, *CONSTANT, "BIAS.ALLOW_PARTIAL_WEIGHTS", True]
    tuned = run("tuned", *start, *still)
    a, b = weights(tuned), checkpoint.read_checkpoint(source)["model_state"]
    assert torch.equal(
        a["s5.pathway0_res1.branch2.c.weight"], b["s5.pathway0_res1.branch2.c.weight"]
    )
    assert a["head.projection.weight"].shape[0] == 2


def test_a_whole_checkpoint_continues_its_epochs_unless_they_are_reset(tiny, run, tmp_path):
    source = run("source", "SOLVER.MAX_EPOCH", 1).checkpoint
    start = ["TRAIN.CHECKPOINT_FILE_PATH", source, "SOLVER.MAX_EPOCH", 2]
    run("on", *start)
    run("afresh", *start, "TRAIN.CHECKPOINT_EPOCH_RESET", True)
    folders = [str(tmp_path / name) for name in ("on", "afresh")]
    epochs = [lines(tiny("OUTPUT_DIR", folder), "train_epoch") for folder in folders]
    assert [len(found) for found in epochs] == [1, 2]


def test_tensorboard_curves(tiny):
    pytest.importorskip("tensorboard")
    cfg = tiny("TENSORBOARD.ENABLE", True)
    engine.train(cfg)
    (path,) = glob.glob(f"{cfg.OUTPUT_DIR}/runs/events*")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(path).Reload()
    assert {"Train/loss", "Train/lr", "Val/top1_err"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("Train/loss")] == [1, 2]
