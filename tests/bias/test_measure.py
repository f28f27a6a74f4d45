"""measure_bias on small networks whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slowfast_bias.bias import Tap, measure_bias

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")


class Frames(nn.Module):
    """Colour per frame (static), and the change from frame to frame (dynamic); weights by hand."""

    def __init__(self, kernel):
        super().__init__()
        self.conv = nn.Conv3d(3, 3, (len(kernel), 1, 1), groups=3, bias=False)
        self.conv.weight.data[:] = torch.tensor(kernel)[:, None, None]
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.drop(self.act(self.conv(x)).mean((2, 3, 4))))


def make_clips(n=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    colour = torch.randn(n, 3, 1, 1, 1, generator=generator)
    return colour + torch.randn(n, 3, 8, 2, 2, generator=generator)


def shuffled(clips):
    return clips[:, :, torch.randperm(8, generator=torch.Generator().manual_seed(1))]


def batches(first, second, size=16):
    return list(zip(first.split(size), second.split(size), strict=True))


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.fixture
def pairs():
    clips = make_clips()
    return {
        "static": batches(clips, shuffled(clips)),
        "dynamic": batches(clips, clips.flip(1) + 5 * make_clips(seed=2)[:, :, :1]),
    }


def test_a_network_without_temporal_kernels_is_entirely_static(pairs):
    report = measure_bias(Frames([1.0]), pairs, ["conv", "act", "head"])
    for layer in report.layers.values():
        torch.testing.assert_close(
            layer.correlation["static"],
            torch.ones(layer.channels).double(),
            rtol=0,
            atol=1e-6,  # float32 features
        )
        assert layer.score("dynamic") < 0.9


def test_a_network_of_frame_differences_is_less_static(pairs):
    report = measure_bias(Frames([-1.0, 1.0]), pairs, ["act"])
    assert report["act"].score("static") < 0.9


def test_identical_inputs_score_one(pairs):
    clips = make_clips()
    same = measure_bias(Frames([-1.0, 1.0]), {"static": batches(clips, clips.clone())}, ["act"])
    assert same["act"].score("static") == pytest.approx(1, abs=1e-12)


def test_dropout_and_batch_norm_are_off_while_measuring():
    model = nn.Sequential(nn.BatchNorm3d(3), nn.Dropout(0.5)).train()
    clips = make_clips()
    before = model[0].running_mean.clone()
    report = measure_bias(model, {"static": batches(clips, clips.clone())}, ["1"])
    assert report["1"].score("static") == pytest.approx(1, abs=1e-12)
    assert torch.equal(model[0].running_mean, before)


def test_every_module_gets_its_own_mode_back_and_hooks_are_gone(pairs):
    model = Frames([1.0]).train()
    model.drop.eval()  # as when part of a network is frozen
    modes = {name: m.training for name, m in model.named_modules()}
    assert len(set(modes.values())) == 2
    measure_bias(model, pairs, ["act"])
    assert {name: m.training for name, m in model.named_modules()} == modes and hooks(model) == 0
    with pytest.raises(RuntimeError):
        measure_bias(model, {"static": [(torch.zeros(1), torch.ones(1))]}, ["act"])
    assert {name: m.training for name, m in model.named_modules()} == modes and hooks(model) == 0


def test_no_gradient_is_recorded_and_training_goes_on(pairs):
    model = Frames([1.0])
    heard = []
    handle = model.head.register_forward_hook(lambda m, i, o: heard.append(o.requires_grad))
    measure_bias(model, pairs, ["act"])
    handle.remove()
    assert heard and not any(heard)
    model(make_clips()).sum().backward()
    assert model.conv.weight.grad is not None


def test_the_batch_size_does_not_matter(pairs):
    clips = make_clips()
    one, many = (
        measure_bias(
            Frames([-1.0, 1.0]), {"static": batches(clips, shuffled(clips), size)}, ["act"]
        )
        for size in (1, 40)
    )
    # Features are float32 and may round differently by batch size.
    assert one["act"].score("static") == pytest.approx(many["act"].score("static"), abs=1e-5)
    assert one["act"].stderr["static"] == pytest.approx(many["act"].stderr["static"], abs=1e-5)


def test_videos_given_with_a_pair_decide_the_folds():
    clips = make_clips()
    pair = (clips, shuffled(clips))
    apart, together = (
        measure_bias(Frames([-1.0, 1.0]), {"static": [(*pair, videos)]}, ["act"])["act"]
        for videos in (torch.arange(40), torch.arange(40) // 20)
    )
    assert apart.score("static") == pytest.approx(together.score("static"), abs=1e-12)
    assert apart.stderr["static"] != pytest.approx(together.stderr["static"], rel=0.01)


class Pathways(nn.Module):
    """Takes a list of pathways and overwrites it, as SlowFast's stem does."""

    def __init__(self):
        super().__init__()
        self.s1 = nn.Identity()

    def forward(self, x):
        assert isinstance(x, list)
        for i in range(2):
            x[i] = 2 * x[i]
        x = self.s1(x)
        return x[0].mean((2, 3, 4))


def test_pathways_are_measured_apart_and_the_callers_list_is_left_alone():
    clips = make_clips()
    lists = [([x[:, :, ::4], x], [y[:, :, ::4], y]) for x, y in batches(clips, shuffled(clips))]
    copies = [[x.clone() for x in a] for a, _ in lists]
    report = measure_bias(Pathways(), {"static": lists}, ["s1"])
    assert list(report.layers) == ["s1/0", "s1/1"]
    assert report["s1/1"].score("static") == pytest.approx(1, abs=1e-6)
    assert report["s1/0"].score("static") < 0.99  # it sees two of the eight frames
    for (a, _), copy in zip(lists, copies, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, copy, strict=True))


def test_a_dict_is_passed_as_one_argument():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Identity()

        def forward(self, inputs):
            return self.out(inputs["clip"])

    clips = make_clips()
    pair = ({"clip": clips}, {"clip": shuffled(clips)})
    report = measure_bias(Reads(), {"static": [pair]}, [Tap("out")])
    assert report["out"].score("static") == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"clip": [x]}])
def test_a_pair_of_one_object_is_refused(wrap):
    clips = make_clips()
    with pytest.raises(ValueError, match="the same object would be 1 by definition"):
        measure_bias(nn.Identity(), {"static": [(wrap(clips), wrap(clips))]}, [Tap("", name="x")])


def test_meta_says_what_was_measured(pairs):
    report = measure_bias(Frames([1.0]), pairs, ["act"], statistic="pooled", meta={"seed": 5})
    meta = report.meta
    assert meta["model"] == "Frames" and meta["pairs"] == {"static": 40, "dynamic": 40}
    assert meta["seed"] == 5 and meta["statistic"] == "pooled" and meta["seconds"] >= 0
