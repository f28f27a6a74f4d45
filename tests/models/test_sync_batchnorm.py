"""Batch norm over two processes is batch norm over the whole batch."""

from __future__ import annotations

import pytest
import torch
from torch import distributed as dist
from torch import nn

from slowfast_bias.models.sync_batchnorm import (
    SyncBatchNorm,
    SyncBatchNorm2d,
    convert_sync_batchnorm,
)

OFFSET = 1e3  # a mean this far from zero costs a one-pass variance all its digits


def make_batch(kind):
    """Clips, or for 2D the same as pictures, a clip's frames side by side; and a direction."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 3, 2, 4, 4, generator=generator) * torch.tensor([1.0, 3, 0.1]).view(
        3, 1, 1, 1
    )
    batch = x + OFFSET, torch.randn(x.shape, generator=generator)
    return batch if issubclass(kind, nn.BatchNorm3d) else [part.flatten(3) for part in batch]


def make_norm(kind, momentum=0.1):
    norm = kind(3, momentum=momentum)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        norm.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    return norm


def learn(norm, x, direction):
    """One pass; returns output and the gradients of sum(output * direction)."""
    x = x.clone().requires_grad_()
    out = norm(x)
    (out * direction).sum().backward()
    return {"out": out.detach(), "x": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}


MOMENTA = [0.1, None, 1.0]
PLAIN = {SyncBatchNorm: nn.BatchNorm3d, SyncBatchNorm2d: nn.BatchNorm2d}
CASES = [(SyncBatchNorm, m) for m in MOMENTA] + [(SyncBatchNorm2d, 0.1)]


def learn_share():
    mine = slice(0, 2) if dist.get_rank() == 0 else slice(2, 5)  # shares of different sizes
    found = {}
    for kind, momentum in CASES:
        x, direction = make_batch(kind)
        norm = make_norm(kind, momentum)
        found[kind, momentum] = {
            **learn(norm, x[mine], direction[mine]),
            "state": norm.state_dict(),
        }
    return found


@pytest.fixture(scope="module")
def ranks(two_ranks):
    return two_ranks.run(learn_share)


@pytest.mark.ddp
@pytest.mark.parametrize(("kind", "momentum"), CASES)
def test_two_processes_compute_what_one_does_on_the_whole_batch(ranks, kind, momentum):
    a, b = (rank[kind, momentum] for rank in ranks)
    norm = make_norm(PLAIN[kind], momentum).double()
    wanted = learn(norm, *(part.double() for part in make_batch(kind)))

    def agree(got, key, tolerance):
        torch.testing.assert_close(got.double(), wanted[key], rtol=tolerance, atol=tolerance)

    # 1e-3: float32 holds numbers around OFFSET to 6e-5, and the narrowest channel has width 0.1
    agree(torch.cat([a["out"], b["out"]]), "out", 1e-2)
    agree(torch.cat([a["x"], b["x"]]), "x", 2e-2)
    for key in ("weight", "bias"):  # each rank has its share of the sum
        agree(a[key] + b[key], key, 1e-2)
    for name, value in norm.state_dict().items():
        assert torch.equal(a["state"][name], b["state"][name])
        torch.testing.assert_close(a["state"][name].double(), value.double(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", PLAIN)
def test_alone_it_is_plain_batch_norm(kind):
    x, direction = make_batch(kind)
    ours, plain = make_norm(kind), make_norm(PLAIN[kind])
    a, b = learn(ours, x, direction), learn(plain, x, direction)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert torch.equal(ours.eval()(x), plain.eval()(x))


def test_conversion_keeps_weights_and_keys_and_leaves_subclasses_alone():
    class Special(nn.BatchNorm3d):
        pass

    others = nn.Sequential(Special(3)), nn.BatchNorm1d(3), make_norm(nn.BatchNorm2d)
    model = nn.Sequential(make_norm(nn.BatchNorm3d), *others)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kinds = [type(m) for m in convert_sync_batchnorm(model).modules() if not list(m.children())]
    assert kinds == [SyncBatchNorm, Special, nn.BatchNorm1d, SyncBatchNorm2d]
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
