"""Weights are loaded all or not at all; what does not fit is named with the key that mends it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from slowfast_bias import host
from slowfast_bias.models.weights.fit import load_optimizer, load_weights
from slowfast_bias.models.weights.readers import CheckpointError

pytestmark = pytest.mark.host


@pytest.fixture
def net(tiny):
    """A function: the network of the tiny config with changes, from a seed."""

    def build(*opts, seed=0):
        torch.manual_seed(seed)
        return host.build_model(tiny(*opts, check=False))

    return build


def same(a, b):
    return all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


def test_all_weights_arrive(net):
    a, b = net(seed=0), net(seed=1)
    assert not same(a, b)
    assert load_weights(b, a.state_dict(), "a.pyth") == ([], None)
    assert same(a, b)


def test_weights_of_a_wrapped_network_arrive(net):
    a, b = net(seed=0), net(seed=1)
    load_weights(b, {f"module.{name}": value for name, value in a.state_dict().items()}, "a.pyth")
    assert same(a, b)


def refusal(model, weights, **named):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, weights, "a.pyth", **named)
    after = model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert str(caught.value).startswith("Expected a.pyth to fit the network")
    return str(caught.value)


def test_another_architecture_is_refused(net):
    message = refusal(net("MODEL.ARCH", "slow"), net("MODEL.ARCH", "i3d").state_dict())
    assert "other shapes" in message and "MODEL.ARCH" in message and "(8, 3, 5, 7, 7)" in message


def test_another_width_is_refused(net):
    message = refusal(net(), net("RESNET.WIDTH_PER_GROUP", 16).state_dict())
    assert "RESNET.WIDTH_PER_GROUP" in message


def test_another_class_count_is_named_with_both_numbers(net):
    message = refusal(net(), net("MODEL.NUM_CLASSES", 7).state_dict())
    assert "has 7 classes, MODEL.NUM_CLASSES is 4: set MODEL.NUM_CLASSES 7" in message
    assert "BIAS.NEW_CLASSIFIER True" in message


def test_missing_and_unknown_weights_are_named(net):
    weights = net().state_dict()
    weights["extra.weight"] = weights.pop("head.projection.bias")
    message = refusal(net(), weights)
    assert "lacks 1 weights (head.projection.bias" in message and "extra.weight" in message


def test_partial_weights_are_loaded_only_when_asked_for_and_the_rest_is_told(net):
    source, model = net("MODEL.NUM_CLASSES", 7, seed=0), net(seed=1)
    fresh = model.head.projection.weight.clone()
    left = load_weights(model, source.state_dict(), "a.pyth", partial=True).untouched
    assert left == ["head.projection.weight", "head.projection.bias"]
    assert torch.equal(model.head.projection.weight, fresh)
    assert torch.equal(
        model.s5.pathway0_res1.branch2.c.weight, source.s5.pathway0_res1.branch2.c.weight
    )


@pytest.mark.parametrize("partial", [False, True])
def test_a_file_of_which_nothing_fits_is_no_part(net, partial):
    own = net().state_dict()
    counters = {k: v for k, v in own.items() if k.endswith("_tracked")}
    other = {f"other.{k}": v for k, v in own.items()}
    assert counters
    for weights in ({}, {"a": torch.zeros(1)}, other, counters):
        message = refusal(net(), weights, partial=partial)
        assert "Not one of its weights fits" in message and "load what fits" not in message
    one = "s5.pathway0_res1.branch2.c.weight"
    load_weights(net(), {one: own[one]}, "a.pyth", partial=True)


def test_inflation_repeats_2d_kernels_over_time_and_keeps_their_response(net):
    model = net("MODEL.ARCH", "i3d")
    flat = {k: v.sum(2) if v.dim() == 5 else v for k, v in model.state_dict().items()}
    assert load_weights(model, flat, "2d.pyth", inflate=True).untouched == []
    for name, value in model.state_dict().items():
        if value.dim() == 5:
            torch.testing.assert_close(value.sum(2), flat[name])
            assert torch.equal(value[:, :, 0], value[:, :, -1])
    refusal(net("MODEL.ARCH", "i3d"), flat)


def test_axes_of_length_one_are_forgiven_in_caffe2_weights_only(net):
    model = net()
    wide = {k: v[:, :, None] if v.dim() == 2 else v for k, v in model.state_dict().items()}
    assert load_weights(net(seed=1), wide, "zoo.pkl", reshape=True).untouched == []
    refusal(net(), wide)


def test_counters_of_batch_norm_may_be_missing(net):
    weights = {k: v for k, v in net().state_dict().items() if not k.endswith("_tracked")}
    assert load_weights(net(), weights, "zoo.pkl").untouched == []


# -- optimisers ----------------------------------------------------------------------------------


def optimizer_of(tiny, method, model=None):
    cfg = tiny("SOLVER.OPTIMIZING_METHOD", method)
    model = model or host.build_model(cfg)
    optimizer = host.construct_optimizer(model, cfg)
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    return optimizer


def test_the_optimiser_continues(tiny):
    state = {"optimizer_state": optimizer_of(tiny, "adamw").state_dict()}
    other = optimizer_of(tiny, "adamw")
    load_optimizer(other, state, "a.pyth")
    assert other.state_dict()["state"][0]["step"] == 1


@pytest.mark.parametrize(("saved", "wanted"), [("sgd", "adamw"), ("adamw", "sgd")])
def test_the_state_of_another_optimiser_is_refused(tiny, saved, wanted):
    state = {"optimizer_state": optimizer_of(tiny, saved).state_dict()}
    with pytest.raises(CheckpointError, match=r"a\.pyth.*SOLVER\.OPTIMIZING_METHOD"):
        load_optimizer(optimizer_of(tiny, wanted), state, "a.pyth")


def spoilt(optimizer, edit):
    """A checkpoint with the state of an optimiser, one entry of which is odd."""
    saved = copy.deepcopy(optimizer.state_dict())
    edit(saved["state"], saved["param_groups"][0])
    return {"optimizer_state": saved}


def test_groups_of_other_sizes_and_no_state_at_all_are_refused(tiny):
    optimizer = optimizer_of(tiny, "sgd")
    for state, says in (
        (
            {"optimizer_state": torch.optim.SGD(nn.Linear(2, 2).parameters()).state_dict()},
            "^Expected a.pyth to hold the state of SGD .*that of another optimiser",
        ),
        ({}, "^Expected a.pyth to hold the state of an optimiser, .*another form"),
        ({"optimizer_state": None}, "another form"),
        ({"optimizer_state": {"param_groups": [3]}}, "another form"),
        (spoilt(optimizer, lambda state, group: state.update({0: 5})), "another form"),
        (
            spoilt(optimizer, lambda state, group: state[0].update(momentum_buffer=torch.ones(3))),
            "momentum_buffer of weight 0 is",
        ),
        (
            spoilt(optimizer, lambda state, group: state.update({10**6: {"a": torch.ones(3)}})),
            "another form",
        ),
        (spoilt(optimizer, lambda state, group: group.pop("weight_decay")), "without weight_decay"),
        (spoilt(optimizer, lambda state, group: group.update(momentum=None)), "without momentum"),
    ):
        with pytest.raises(CheckpointError, match=says):
            load_optimizer(optimizer, state, "a.pyth")


def test_groups_of_the_other_generation_go_on(tiny):
    optimizer = optimizer_of(tiny, "sgd")
    state = {"optimizer_state": optimizer.state_dict()}
    for group in state["optimizer_state"]["param_groups"]:
        group.pop("layer_decay", None)
        group["apply_LARS"] = False
    load_optimizer(optimizer, state, "a.pyth")
    host.set_lr(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.5}
