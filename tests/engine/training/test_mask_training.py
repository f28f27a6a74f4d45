"""How networks of masks are trained: starts, rates, sizes; in parallel, and resumed."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from support import double
from support.segments import TOY

from slowfast_bias import engine, host
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.setup import checkpoint, network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.training.rates import give_decoder_its_rate
from slowfast_bias.models.segmentation.resnet import ResNet
from slowfast_bias.outputs import Outputs


@pytest.fixture
def toy(tiny):
    return functools.partial(tiny, *TOY)


def test_training_starts_with_a_resnet_in_each_stream_it_is_given_for(toy, tmp_path):
    resnet = ResNet("resnet18", 4)
    torch.save(resnet.state_dict(), tmp_path / "resnet.pth")
    cfg = toy(
        "BIAS.SEGMENTATION.MOT_WEIGHTS", str(tmp_path / "resnet.pth"), "SOLVER.BASE_LR", 1e-12
    )
    engine.train(cfg)
    weights = torch.load(Outputs(cfg.OUTPUT_DIR).checkpoint(1))["model_state"]
    assert torch.allclose(weights["encoder.conv1_2.weight"], resnet.conv1.weight)
    assert not torch.equal(weights["encoder.conv1_1.weight"], resnet.conv1.weight)


def test_the_decoder_learns_at_its_own_rate(toy):
    model = network.build_network(toy())
    optimizer = host.construct_optimizer(model, toy())
    give_decoder_its_rate(model, optimizer, 10.0)
    host.set_lr(optimizer, 0.5)
    rates = {id(x): group["lr"] for group in optimizer.param_groups for x in group["params"]}
    trained = {name: x for name, x in model.named_parameters() if x.requires_grad}
    assert all(rates[id(x)] == (5 if "decoder" in name else 0.5) for name, x in trained.items())


def test_poly_falls_to_nothing_and_constant_does_not_fall(toy):
    poly = toy("SOLVER.LR_POLICY", "poly", "SOLVER.MAX_EPOCH", 8, "SOLVER.BASE_LR", 0.2)
    for epoch in (0, 2.5, 8):
        assert host.lr_at(epoch, poly) == pytest.approx(0.2 * (1 - epoch / 8) ** 0.9)
    constant = toy("SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.BASE_LR", 0.2,
                   "SOLVER.STEPS", [0], "SOLVER.LRS", [1.0])  # fmt: skip
    assert {host.lr_at(epoch, constant) for epoch in (0, 0.5, 7)} == {0.2}


# two frames a clip, both with a truth; sizes by turns; batch norm over both processes
BY_TURNS = [
    "DATA.NUM_FRAMES", 2, "BIAS.MASKS.LOSS", "structure", "BIAS.MASKS.DECODER_RATE", 2.0,
    "BIAS.SEGMENTS.SIZES", [[32, 32], [24, 24]], "BN.NORM_TYPE", "sync_batchnorm",
    "SOLVER.MAX_EPOCH", 2, "SOLVER.MOMENTUM", 0.9, "SOLVER.LR_POLICY", "poly",
    "SOLVER.BASE_LR", 0.001, "BIAS.TOY.NUM_TRAIN", 4, "BIAS.MASKS.CUT", 0.3,
    "BIAS.SEGMENTATION.BOUNDARIES", False,
]  # fmt: skip
CLOSE = 1e-6  # in float64 the order of a sum changes the 16th digit


@pytest.fixture
def trained(toy, tmp_path):
    """A function (name, *words): the config of a network; that of "one" is trained."""

    def config(name, *more):
        return toy(*BY_TURNS, "OUTPUT_DIR", str(tmp_path / name), *more)

    config.result = double.train(config("one"))
    return config


def weights_of(result):
    return checkpoint.read_checkpoint(result.checkpoint)["model_state"]


@pytest.mark.ddp
def test_two_processes_train_and_test_masks_as_one_does(trained, two_ranks):
    one, two = trained.result, two_ranks.run(double.train, trained("two", "NUM_GPUS", 2))[0]
    a, b = weights_of(one), weights_of(two)
    with double.float64():
        start = network.build_network(trained("start")).state_dict()
    moved = [name for name, x in a.items() if x.is_floating_point() and not x.equal(start[name])]
    assert any("running_var" in name for name in moved) and len(moved) > 100
    way, apart = (
        torch.cat([(a[name] - other[name]).flatten() for name in moved]).norm()
        for other in (start, b)
    )
    assert float(apart / way) < CLOSE
    assert one.train["loss"] == pytest.approx(two.train["loss"], rel=CLOSE)
    assert one.val == pytest.approx(two.val)
    path = ["TEST.CHECKPOINT_FILE_PATH", one.checkpoint]
    alone = double.test(trained("one", *path)).figures.result()
    for result in two_ranks.run(double.test, trained("two", "NUM_GPUS", 2, *path)):
        assert result.figures.result() == alone and 0 < alone["masks"]["means"]["J_mean"] < 90


def test_a_resumed_run_of_masks_equals_an_unbroken_one(trained):
    """Bit by bit: weights, statistics, momentum of either rate, and the sizes that were drawn."""
    cfg = trained("parts", "SOLVER.MAX_EPOCH", 2)
    double.train(cfg)
    Path(Outputs(cfg.OUTPUT_DIR).checkpoint(2)).unlink()
    again = double.train(cfg)
    wanted, found = map(checkpoint.read_checkpoint, (trained.result.checkpoint, again.checkpoint))
    assert all(x.equal(found["model_state"][k]) for k, x in wanted["model_state"].items())
    pairs = zip(
        wanted["optimizer_state"]["state"].values(), found["optimizer_state"]["state"].values(),
        strict=True,
    )  # fmt: skip
    assert all(a["momentum_buffer"].equal(b["momentum_buffer"]) for a, b in pairs)
    assert again.val == trained.result.val


def test_batches_of_training_take_sizes_by_turns(toy):
    """All that is learnt from has one size, drawn by the seed alone."""
    sizes = [[32, 32], [24, 20], [16, 16]]
    cfg = toy("DATA.NUM_FRAMES", 2, "BIAS.SEGMENTS.SIZES", sizes)
    (batch,) = Loader(open_dataset("toysegments", cfg, "train"), 4, training=True, seed=0)
    batch = batch._replace(targets=batch.targets._replace(weights=[torch.rand(2, 32, 32)] * 4))
    task, shown = make_task(cfg, network.build_network(cfg)), set()
    for seed in range(12):
        varied, again = task.varied(batch, seed), task.varied(batch, seed)
        size = tuple(varied.inputs[0].shape[2:4])
        assert all(x.shape == (4, 2, *size, 3) and x.dtype == torch.uint8 for x in varied.inputs)
        assert all(x.equal(y) for x, y in zip(varied.inputs, again.inputs, strict=True))
        masks, weights = varied.targets.clips(), varied.targets.stacked_weights()
        assert masks.shape == weights.shape == (4, 2, *size)
        assert set(masks.unique().tolist()) == {0, 1}
        shown.add(size)
    assert shown == set(map(tuple, sizes))
    plain = toy("DATA.NUM_FRAMES", 2)
    assert make_task(plain, network.build_network(plain)).varied(batch, 0) is batch
