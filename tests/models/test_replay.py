"""Frame-wise prefixes: found only where proven, and replayed without changing a bit."""

import pytest
import torch
from torch import nn

from slowfast_bias.datasets.pairs.frame_order import reorder
from slowfast_bias.models.replay import Replay, frame_wise_prefix


class Net(nn.Module):
    """Three stages on lists of pathways, as SlowFast's; the second and third may look at time."""

    def __init__(self, kernels=(1, 1, 3), odd=None):
        super().__init__()
        for i, k in enumerate(kernels):
            conv = nn.Conv3d(3 if i == 0 else 4, 4, (k, 3, 3), padding=(k // 2, 1, 1))
            setattr(self, f"s{i + 1}", Stage(nn.Sequential(conv, nn.BatchNorm3d(4), nn.ReLU())))
        if odd is not None:
            self.s2.body.append(odd)

    def forward(self, x):
        for stage in self.children():
            x = stage(x)
        return x[0].mean((2, 3, 4))


class ResStage(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        for i, one in enumerate(x):
            x[i] = self.body(one)  # in place, as the host does
        return x


Stage = ResStage


class Looks(nn.Module):
    """Attends over time without a single temporal kernel."""

    def forward(self, x):
        return x - x.mean(2, keepdim=True)


def test_the_prefix_ends_where_time_is_seen():
    assert frame_wise_prefix(Net().eval()) == ["s1", "s2"]
    assert frame_wise_prefix(Net((3, 1, 1)).eval()) == []


@pytest.mark.parametrize(
    "odd",
    [Looks(), nn.MaxPool3d((2, 1, 1)), nn.AvgPool3d((1, 1, 1), stride=(2, 1, 1)), nn.GELU()],
)
def test_whatever_is_temporal_or_unknown_ends_the_prefix(odd):
    assert frame_wise_prefix(Net((1, 1, 3), odd).eval()) == ["s1"]


def test_batch_norm_in_train_mode_looks_at_all_frames():
    assert frame_wise_prefix(Net().train()) == []


def test_a_module_that_must_run_is_not_skipped():
    assert frame_wise_prefix(Net().eval(), ["s2.body.0"]) == ["s1"]
    assert frame_wise_prefix(Net().eval(), ["s2"]) == ["s1", "s2"]


def test_replay_gives_what_running_again_gives_and_leaves_no_trace():
    torch.manual_seed(0)
    net = Net().eval()
    x = torch.rand(2, 3, 8, 6, 6)
    orders = torch.stack([torch.randperm(8) for _ in range(2)])
    replay = Replay(net, frame_wise_prefix(net))
    with torch.no_grad():
        with replay.recording():
            plain = net([x])
        with replay.playing(lambda y: reorder(y, orders)):
            skipped = net([torch.full_like(x, float("nan"))])  # the prefix must not look at it
        again = net([reorder(x, orders)])
        assert torch.equal(skipped, again)
        assert torch.equal(plain, net([x]))
    assert all("forward" not in vars(module) for module in net.modules())


def test_a_forward_that_raises_leaves_the_network_as_it_was():
    net = Net().eval()
    replay = Replay(net, ["s1", "s2"])
    with pytest.raises(RuntimeError), replay.recording():
        net([torch.rand(1, 5, 8, 6, 6)])
    assert all("forward" not in vars(module) for module in net.modules())


def test_a_forward_that_somebody_else_put_there_is_run_and_put_back():
    net, calls = Net().eval(), []
    forward = net.s1.forward

    def patched(x):
        calls.append(len(x))
        return forward(x)

    net.s1.forward = patched
    replay, x = Replay(net, ["s1", "s2"]), torch.rand(1, 3, 8, 6, 6)
    with torch.no_grad():
        with replay.recording():
            plain = net([x])
        assert calls == [1] and net.s1.forward is patched
        with replay.playing(forget=False):
            assert torch.equal(net([x]), plain)
        assert calls == [1] and net.s1.forward is patched
        with pytest.raises(RuntimeError), replay.recording():
            net([torch.rand(1, 5, 8, 6, 6)])
    assert net.s1.forward is patched and "forward" not in vars(net.s2)
