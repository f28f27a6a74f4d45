"""How networks of masks are trained: where they start, and at which rates."""

from __future__ import annotations

import functools

import pytest
import torch
from support.segments import TOY

from slowfast_bias import engine, host
from slowfast_bias.engine.setup import network
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
