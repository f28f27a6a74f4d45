"""Inception I3D: the published network, entry by entry, and its padding by definition."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.inception import FEATURES, port_shapes
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import tapped
from slowfast_bias.config import ConfigError
from slowfast_bias.models.bf16 import prepared_for_bf16
from slowfast_bias.models.families import family_of
from slowfast_bias.models.networks.inception_i3d import (
    Head,
    InceptionI3D,
    SameConv3d,
    SameMaxPool3d,
)
from slowfast_bias.models.replay import Replay, frame_wise_prefix, steps_until

STAGES = {"Conv3d_1a_7x7": 64, "Conv3d_2c_3x3": 192, "Mixed_3b": 256, "Mixed_3c": 480,
          "Mixed_4b": 512, "Mixed_4c": 512, "Mixed_4d": 512, "Mixed_4e": 528, "Mixed_4f": 832,
          "Mixed_5b": 832, "Mixed_5c": 1024, "head": 1024}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return InceptionI3D(num_classes=7).eval()


@pytest.fixture(scope="module")
def moving(model):
    """The network in float64, with statistics of batch norm that do something."""
    torch.manual_seed(1)
    net = copy.deepcopy(model).double()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.running_var, 0.01, 0.1)
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
    return net


def clip(frames=8, height=32, width=32, batch=1):
    shape = batch, 3, frames, height, width
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


# -- the published network ------------------------------------------------------------------------


def test_it_has_the_ports_names_and_shapes_but_for_the_classifier():
    wanted = port_shapes()
    weight, bias = (wanted.pop(f"logits.conv3d.{entry}") for entry in ("weight", "bias"))
    wanted |= {"head.projection.weight": weight[:2], "head.projection.bias": bias}
    state = InceptionI3D().state_dict()
    counters = [name for name in state if name.endswith("num_batches_tracked")]
    assert {k: tuple(v.shape) for k, v in state.items() if k not in counters} == wanted
    assert (len(state), len(counters)) == (344, 57)
    # the published arrays are 12,704,544 numbers: two statistics of each norm more, no scales
    channels = sum(len(v) for k, v in state.items() if k.endswith("running_var"))
    assert sum(p.numel() for p in InceptionI3D().parameters()) == 12_704_544 - channels


def test_batch_norms_have_the_published_eps(model):
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm3d)]
    assert {norm.eps for norm in norms} == {1e-3} and len(norms) == 57


# -- padding ---------------------------------------------------------------------------------------


def windows(size, kernel, stride):
    """The positions that each output sees: SAME, by definition, along one axis.

    There are as many outputs as steps fit, rounded up. What the windows reach beyond the input is
    shared out to both ends, and the odd one is at the end.
    """
    outputs = -(-size // stride)
    beyond = max((outputs - 1) * stride + kernel - size, 0)
    starts = (i * stride - beyond // 2 for i in range(outputs))
    return [[p for p in range(start, start + kernel)] for start in starts]


def by_definition(x, kernel, stride, of):
    """What `of` makes of the window of every output; outside the input there is nothing (NaN)."""
    axes = [windows(n, k, s) for n, k, s in zip(x.shape, kernel, stride, strict=True)]
    wide = np.full([n + 20 for n in x.shape], np.nan)
    wide[tuple(slice(10, 10 + n) for n in x.shape)] = x
    places = itertools.product(*axes)
    values = [of(wide[np.ix_(*([p + 10 for p in axis] for axis in place))]) for place in places]
    return np.array(values).reshape([len(axis) for axis in axes])


SHAPES = [
    ((7, 7, 7), (2, 2, 2), (4, 9, 8)),
    ((3, 3, 3), (1, 1, 1), (2, 3, 4)),
    ((3, 3, 3), (2, 2, 2), (1, 4, 5)),
    ((2, 2, 2), (2, 2, 2), (3, 4, 1)),
    ((1, 3, 3), (1, 2, 2), (3, 6, 7)),
]


@pytest.mark.parametrize(("kernel", "stride", "size"), SHAPES)
def test_convolutions_pad_as_tensorflow(kernel, stride, size):
    conv = SameConv3d(1, 1, kernel, stride, bias=False).double()
    x = torch.randn(size, dtype=torch.float64)
    weight = conv.weight.detach()[0, 0].numpy()
    wanted = by_definition(x.numpy(), kernel, stride, lambda window: np.nansum(window * weight))
    got = conv(x[None, None])[0, 0].detach().numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride", "size"), SHAPES)
def test_pools_ignore_what_is_outside_as_tensorflow(kernel, stride, size):
    x = -torch.rand(size, dtype=torch.float64) - 1  # a zero outside would win
    pool = SameMaxPool3d(kernel, stride)
    wanted = by_definition(x.numpy(), kernel, stride, np.nanmax)
    np.testing.assert_array_equal(pool(x[None, None])[0, 0].numpy(), wanted)
    # after a ReLU, zeros outside, as in the port, are the same
    wanted = by_definition(-x.numpy(), kernel, stride, lambda window: np.nan_to_num(window).max())
    np.testing.assert_array_equal(pool(-x[None, None])[0, 0].numpy(), wanted)


# -- the head --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(3, 7, 7), (1, 7, 7), (2, 1, 2), (4, 8, 9)])
def test_head_is_the_mean_of_a_classifier_of_windows(size):
    torch.manual_seed(0)
    head = Head(6, 5, dropout=0.0).double()
    x = torch.randn(2, 6, *size, dtype=torch.float64)
    kernel = [min(k, n) for k, n in zip((2, 7, 7), size, strict=True)]
    starts = itertools.product(*(range(n - k + 1) for n, k in zip(size, kernel, strict=True)))
    logits = []
    for place in starts:
        cut = [slice(p, p + k) for p, k in zip(place, kernel, strict=True)]
        window = x[(slice(None), slice(None), *cut)].mean((2, 3, 4))
        logits.append(window @ head.projection.weight.T + head.projection.bias)
    wanted = torch.stack(logits).mean(0)
    torch.testing.assert_close(head.train()(x), wanted)
    torch.testing.assert_close(head.eval()(x), wanted.exp() / wanted.exp().sum(1, keepdim=True))


def test_dropout_gets_channels_last_and_only_in_training():
    head = Head(6, 5, dropout=0.5)
    shapes = []
    head.dropout.forward = lambda x: shapes.append(tuple(x.shape)) or x
    head(torch.randn(2, 6, 3, 7, 7))
    assert shapes == [(2, 2, 1, 1, 6)]
    assert head.dropout.p == 0.5 and isinstance(head.dropout, nn.Dropout)


# -- the whole network -----------------------------------------------------------------------------


def published(state, x):
    """The stages for a clip whose sides halve evenly, from the figures of the paper, by hand."""

    def unit(name, x, before=(0, 0), stride=1):
        x = F.pad(x, before * 3)
        x = F.conv3d(x, state[f"{name}.conv3d.weight"], stride=stride)
        mean, var, scale, shift = (
            state[f"{name}.bn.{entry}"].view(-1, 1, 1, 1)
            for entry in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (var + 1e-3).sqrt() * scale + shift).clamp(min=0)

    def mixed(name, x):
        first, pooled = f"Mixed_{name}.b", F.max_pool3d(x, 3, 1, padding=1)
        one, two = (unit(f"{first}{n}a", x) for n in (1, 2))
        return torch.cat(
            [
                unit(f"{first}0", x),
                unit(f"{first}1b", one, (1, 1)),
                unit(f"{first}2b", two, (1, 1)),
                unit(f"{first}3b", pooled),
            ],
            1,
        )

    def halve_space(x):
        return F.max_pool3d(F.pad(x, (0, 1, 0, 1)), (1, 3, 3), (1, 2, 2))

    x = halve_space(unit("Conv3d_1a_7x7", x, (2, 3), 2))
    x = halve_space(unit("Conv3d_2c_3x3", unit("Conv3d_2b_1x1", x), (1, 1)))
    x = mixed("3c", mixed("3b", x))
    x = F.max_pool3d(F.pad(x, (0, 1) * 3), 3, 2)
    for name in ("4b", "4c", "4d", "4e", "4f"):
        x = mixed(name, x)
    return mixed("5c", mixed("5b", F.max_pool3d(x, 2, 2)))


def test_it_computes_what_the_paper_draws(moving):
    x = clip(16, 64, 96).double()
    with torch.no_grad(), tapped(moving, ["Mixed_5c"]) as features:
        moving([x])
        wanted = published(moving.state_dict(), x).mean((2, 3, 4))
    torch.testing.assert_close(features["Mixed_5c"], wanted, rtol=1e-9, atol=1e-12)
    assert (wanted > 0).any()


@pytest.mark.parametrize("size", [(2, 32, 32), (9, 33, 47), (8, 64, 64)])
def test_clips_of_many_sizes_give_probabilities(model, size):
    inputs = [clip(*size)]
    with torch.no_grad():
        scores = model(inputs)
    assert scores.shape == (1, 7) and len(inputs) == 1
    torch.testing.assert_close(scores.sum(1), torch.ones(1))


def test_one_pathway_is_expected(model):
    with pytest.raises(ValueError, match="unpack"):
        model([clip(), clip()])


def test_a_step_changes_every_weight():
    torch.manual_seed(0)
    net = InceptionI3D(num_classes=3, dropout=0.0)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    logits = net([clip(8, 64, 64, batch=2)])
    assert not torch.allclose(logits.sum(1), torch.ones(2))
    nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
    torch.optim.SGD(net.parameters(), 0.1).step()
    assert [k for k, p in net.named_parameters() if torch.equal(p, before[k])] == []


def test_layers_are_the_stages_and_what_the_classifier_gets(model):
    family = family_of(model)
    assert family.name == "inception_i3d"
    with torch.no_grad(), tapped(model, family.layers(model)) as features:
        model([clip()])
    assert {name: tuple(x.shape) for name, x in features.items()} == {
        name: (1, channels) for name, channels in STAGES.items()
    }
    assert STAGES["head"] == FEATURES


def test_no_stage_counts_as_frame_wise(model):
    assert frame_wise_prefix(model) == []


@pytest.mark.parametrize("layer", ["Mixed_4b", "Mixed_4b.b1b", "head"])
def test_steps_up_to_a_layer_can_be_replayed(model, layer):
    steps = steps_until(model, layer)
    assert steps[:2] == ["Conv3d_1a_7x7", "MaxPool3d_2a_3x3"] and len(steps) > 7
    replay = Replay(model, steps)
    with torch.no_grad():
        with replay.recording():
            once = model([clip()])
        with replay.playing():
            again = model([torch.full((1, 3, 8, 32, 32), torch.nan)])
    assert torch.equal(once, again)


def test_folded_for_bf16_it_computes_the_same(moving):
    fast = prepared_for_bf16(moving)
    assert not any(isinstance(module, nn.BatchNorm3d) for module in fast.modules())
    seen = []
    for net in (moving, fast):
        with torch.no_grad(), tapped(net, ["Mixed_3b", "Mixed_5c"]) as features:
            net([clip().double()])
        seen.append(dict(features))
    for name, value in seen[0].items():
        torch.testing.assert_close(seen[1][name], value, rtol=1e-9, atol=1e-12)


@pytest.mark.host
def test_a_config_builds_it(tiny):
    cfg = tiny("MODEL.ARCH", "inception_i3d", "MODEL.NUM_CLASSES", 11, "MODEL.DROPOUT_RATE", 0.25)
    assert cfg.MODEL.MODEL_NAME == "InceptionI3D"
    built = host.build_model(cfg)
    assert built.head.projection.out_features == 11 and built.head.dropout.p == 0.25


@pytest.mark.host
@pytest.mark.parametrize(
    ("key", "value"), [("BN.NORM_TYPE", "sub_batchnorm"), ("DATA.INPUT_CHANNEL_NUM", [2])]
)
def test_what_it_cannot_do_is_refused(tiny, key, value):
    with pytest.raises(ConfigError, match=rf"{key} .*this project's InceptionI3D has only"):
        tiny("MODEL.ARCH", "inception_i3d", key, value)
