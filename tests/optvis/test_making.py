"""What is made from noise, for networks whose best input is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slowfast_bias.bias import Tap
from slowfast_bias.errors import LayerError
from slowfast_bias.optvis import SPEEDS, Canvas, ClassOdds, Recipe, Responder, Row, Unit, maximise

FREE, FROZEN = SPEEDS[0], SPEEDS[-1]
SIZE = Canvas(4, 8, 8)


class Watcher(nn.Module):
    """Unit 0 answers to red, unit 1 to red that rises from frame to frame, unit 2 to nothing."""

    def __init__(self, bias=0.0):
        super().__init__()
        self.conv = nn.Conv3d(3, 3, (2, 1, 1))
        self.norm = nn.BatchNorm3d(3)
        self.relu = nn.ReLU()
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.bias.fill_(bias)
            self.conv.weight[0, 0, 1] = 1
            self.conv.weight[1, 0, :, 0, 0] = torch.tensor([-1.0, 1.0])
        self.train()

    def forward(self, clip):
        return self.relu(self.norm(self.conv(clip)))


def responder(model):
    return Responder(model, [Tap("relu", channels_last=False)], list)


def made(model, unit, rows, **recipe):
    recipe = Recipe(**{"steps": 12, "jitter": 1, **recipe})
    return maximise(responder(model), Unit("relu", unit), rows, SIZE, recipe)


def reached(model, unit, scene):
    return responder(model).measure(scene).features["relu"][:, unit]


@pytest.mark.parametrize("kind", ["fourier", "pixels"])
def test_the_activation_rises_and_a_frozen_clip_cannot_show_motion(kind):
    model, rows = Watcher(), [Row(FREE, 0), Row(FROZEN, 0)]
    start = made(model, 1, rows, kind=kind, steps=1).scene
    scene = made(model, 1, rows, kind=kind).scene
    before, after = reached(model, 1, start), reached(model, 1, scene)
    assert after[0] > 3 * before[0] and after[1] == 0
    assert torch.equal(scene[0][1], scene[0][1, :, :1].expand_as(scene[0][1]))
    assert scene[0].min() >= 0 and scene[0].max() <= 1
    red = reached(model, 0, made(model, 0, rows, kind=kind).scene)
    assert red[1] == pytest.approx(red[0].item(), rel=0.2)  # a frame moves as far as each of four


def test_a_row_follows_from_its_seed_and_speed_alone():
    model, rows = Watcher(), [Row(speed, seed) for speed in SPEEDS for seed in (0, 5)]
    together = made(model, 1, rows).scene[0]
    for k in (0, 3, 8):
        (alone,) = made(model, 1, [rows[k]]).scene
        torch.testing.assert_close(together[k : k + 1], alone, atol=1e-5, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=0.01)


def test_slower_speeds_change_less():
    rows = [Row(speed, 0) for speed in SPEEDS]
    (clips,) = made(Watcher(), 1, rows, steps=40).scene
    changes = clips.diff(dim=2).square().mean((1, 2, 3, 4)).tolist()
    assert changes == sorted(changes, reverse=True) and changes[-1] == 0


def test_the_network_is_as_before_in_every_mode():
    model = Watcher()
    model.conv.weight.requires_grad_(False)
    state = {name: x.clone() for name, x in model.state_dict().items()}
    made(model, 1, [Row(FREE, 0)])
    assert model.training and model.norm.training  # and its running statistics did not move
    assert all(torch.equal(state[name], x) for name, x in model.state_dict().items())
    wants = {name: x.requires_grad for name, x in model.named_parameters()}
    assert not wants.pop("conv.weight") and all(wants.values())
    assert all(not m._forward_hooks and "forward" not in vars(m) for m in model.modules())


def test_rectifiers_leak_at_the_start_if_there_is_no_gradient():
    found = made(Watcher(bias=-2.0), 0, [Row(FREE, 0)], steps=100, rate=0.5)
    assert found.leaky == [True] and reached(Watcher(bias=-2.0), 0, found.scene) == 0
    mild = Watcher(bias=-0.7)  # red above 0.7 is seen, which a start near grey is not
    both = made(mild, 0, [Row(FREE, 0)], steps=100, rate=0.5)
    assert both.leaky == [True] and reached(mild, 0, both.scene) > 0.1
    assert made(Watcher(), 1, [Row(FREE, 0), Row(FROZEN, 0)]).leaky == [False, True]


def test_a_value_that_is_not_finite_ends_the_loop_with_the_last_good_clip():
    class Breaks(Watcher):
        def forward(self, clip):
            found = self.norm(self.conv(clip))
            return self.relu(found * (float("nan") if found[:, 0].max() > 0.55 else 1))

    kept = made(Breaks(), 0, [Row(FREE, 0)], steps=50)
    assert kept.broken == [True]
    start = made(Watcher(), 0, [Row(FREE, 0)], steps=1).scene
    assert reached(Watcher(), 0, kept.scene) > reached(Watcher(), 0, start)


def test_a_layer_that_cuts_the_gradient_is_named():
    class Cut(Watcher):
        def forward(self, clip):
            return super().forward(clip.detach())

    with pytest.raises(LayerError, match="'relu' to depend on the input with a gradient"):
        made(Cut(), 0, [Row(FREE, 0)])
    with pytest.raises(LayerError, match="unit 7 of layer 'relu', but .* relu with 3 units"):
        made(Watcher(), 7, [Row(FREE, 0)])
    with pytest.raises(LayerError, match="class 0, but the network has 0 classes"):
        maximise(responder(Watcher()), ClassOdds(0), [Row(FREE, 0)], SIZE, Recipe(2))
