"""Faster copies: folded, without idle pools, channels last; what must not change does not."""

import copy
import functools

import pytest
import torch
from torch import nn

from slowfast_bias.models.fast import (
    compile_parts,
    fold,
    foldable,
    gains,
    idle_pools,
    in_channels_last,
    leave_out,
    why_no_bf16,
    why_no_compiler,
)


class Stage(nn.Module):
    """Two convolutions, each with a batch norm of SlowFast's names, and a shortcut."""

    def __init__(self, groups=1, bias=False, affine=True):
        super().__init__()
        for name in "ab":
            conv = nn.Conv3d(4, 4, 3, padding=1, groups=groups, bias=bias)
            setattr(self, name, conv)
            setattr(self, f"{name}_bn", nn.BatchNorm3d(4, affine=affine))

    def forward(self, x):
        return (x + self.b_bn(self.b(self.a_bn(self.a(x)).relu()))).relu()


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Linear(4, 3)

    def forward(self, x):
        return self.projection(x.mean((2, 3, 4)))


class Net(nn.Module):
    """Of the kind of SlowFast's, by its names; its batch norms have seen something."""

    def __init__(self, **options):
        super().__init__()
        self.s1, self.s2 = Stage(**options), Stage(**options)
        self.pool, self.head = nn.MaxPool3d(1), Head()
        for name, x in (*self.named_parameters(), *self.named_buffers()):
            if x.is_floating_point():
                x.data.uniform_(0.5, 2) if name.endswith("var") else x.data.normal_()

    def forward(self, inputs):
        return self.head(self.pool(self.s2(self.s1(inputs[0]))))


@pytest.fixture
def make(request):
    def made(**options):
        torch.manual_seed(0)
        return Net(**options).double().eval()

    return made


X = torch.linspace(-1, 1, 2 * 4 * 3 * 5 * 5, dtype=torch.float64).sin().view(2, 4, 3, 5, 5)


@pytest.mark.parametrize(
    "options", [{}, {"groups": 2}, {"bias": True}, {"affine": False}, {"groups": 4, "bias": True}]
)
@torch.no_grad()
def test_a_folded_network_computes_the_same(make, options):
    model = make(**options)
    before = copy.deepcopy(model.state_dict())
    fast = copy.deepcopy(model)
    fold(fast, foldable(fast))
    assert not any(isinstance(module, nn.BatchNorm3d) for module in fast.modules())
    torch.testing.assert_close(fast([X]), model([X]), rtol=1e-10, atol=1e-10)
    assert all(torch.equal(before[name], x) for name, x in model.state_dict().items())


def pairs(model, *tapped):
    return [conv for conv, _ in foldable(model, tapped)]


def test_what_is_tapped_is_not_folded(make):
    assert pairs(make()) == ["s1.a", "s1.b", "s2.a", "s2.b"]
    assert pairs(make(), "s1", "s1.a") == ["s1.b", "s2.a", "s2.b"]
    assert pairs(make(), "s2.b_bn") == ["s1.a", "s1.b", "s2.a"]


def test_what_is_not_plain_is_not_folded(make):
    model = make()
    model.s1.b = model.s1.a  # runs twice
    model.s2.a.register_forward_hook(lambda *_: None)
    model.s2.b_bn.forward = model.s2.b_bn.forward
    assert pairs(model) == []
    model = make()
    model.s2.a.weight = model.s1.a.weight
    assert pairs(model) == ["s1.b", "s2.b"]
    model = make()
    model.s1.a_bn = nn.BatchNorm3d(4, track_running_stats=False)  # statistics of the batch
    model.s1.b_bn = nn.InstanceNorm3d(4)
    assert pairs(model) == ["s2.a", "s2.b"]


def test_pools_of_one_value_are_left_out_unless_tapped(make):
    model = make()
    model.s1.pools = nn.ModuleList(
        [nn.MaxPool3d(1, stride=2), nn.MaxPool3d((1, 2, 2), 1), nn.AvgPool3d(1), nn.MaxPool3d(3, 1)]
    )
    assert idle_pools(model) == ["s1.pools.2", "pool"]
    assert idle_pools(model, ["pool"]) == ["s1.pools.2"]
    fast = copy.deepcopy(model)
    leave_out(fast, ["pool"])
    assert type(fast.pool) is nn.Identity and torch.equal(fast([X]), model([X]))


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 1},
        {"kernel_size": (1, 3, 3), "stride": (1, 2, 2), "padding": (0, 1, 1), "groups": 4},
        {"kernel_size": 3, "dilation": 2, "padding": 2, "bias": False},
        {"kernel_size": 3, "padding": "same"},
        {"kernel_size": 3, "padding": 1, "padding_mode": "replicate"},
    ],
)
@torch.no_grad()
def test_channels_last_computes_the_same(options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv3d(4, 8, **options), nn.ReLU())
    fast = copy.deepcopy(model)
    in_channels_last(fast)
    x = torch.randn(2, 4, 5, 7, 7)
    got = fast(x.contiguous(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(got, model(x), rtol=1e-3, atol=1e-3)
    assert torch.equal(fast[0].weight, model[0].weight)


def test_channels_last_is_for_convolutions_over_time_and_space_in_float32():
    conv, linear = nn.Conv3d(2, 2, 1), nn.Linear(2, 2)
    assert gains(nn.Sequential(conv, nn.Conv3d(2, 2, 1), nn.BatchNorm3d(2), linear))
    assert not gains(nn.Sequential(conv, linear))
    assert not gains(nn.Sequential(nn.Conv2d(2, 2, 1)))
    assert not gains(nn.Sequential(conv).double())


def test_the_largest_parts_without_a_tap_inside_are_compiled(make, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda forward, **how: forward)
    assert compile_parts(make(), ["s1", "s2.b"]) == [
        "s1",
        "s2.a",
        "s2.a_bn",
        "s2.b",
        "s2.b_bn",
        "head",
    ]
    assert compile_parts(make(), ["s2", "head.projection"]) == ["s1", "s2", "head.projection"]


class Widening(nn.Sequential):
    """Ten stages of one class and of ten widths."""

    def __init__(self):
        super().__init__(*(nn.Sequential(nn.Conv3d(k, k + 1, 1), nn.ReLU()) for k in range(1, 11)))


@torch.no_grad()
def test_every_part_is_compiled_with_frozen_weights_though_all_are_of_one_class(monkeypatch):
    from torch._inductor import config

    seen = []

    def noting(graph, inputs):
        seen.append(config.freezing)
        return graph.forward

    compiling = functools.partial(torch.compile, backend=noting)
    plain, x = Widening().eval(), torch.randn(2, 1, 2, 3, 3)
    fast = copy.deepcopy(plain)
    functools.update_wrapper(compiling, torch.compile)
    monkeypatch.setattr(torch, "compile", compiling)
    try:
        assert len(compile_parts(fast, [str(k) for k in range(10)])) == 10
        assert torch.equal(fast(x), plain(x))
        assert torch.equal(fast(x[:1]), plain(x[:1]))
    finally:
        torch.compiler.reset()
    assert seen == [True] * 20  # every part in both sizes
    assert not config.freezing


def test_a_cpu_that_imitates_bfloat16_and_a_missing_compiler_are_named(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    assert "this CPU has none of the instructions avx512_bf16" in why_no_bf16("cpu")
    able = {"avx512_bf16": True, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert why_no_bf16("cpu") == ""
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no-such-compiler is not on this machine" in why_no_compiler("cpu")
