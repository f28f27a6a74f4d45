"""Silenced units: zero inside the block and only there, on networks of any form."""

import pytest
import torch
from support.networks import NETWORKS, SLOWFAST
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import Tap, tapped
from slowfast_bias.models.silencing import silenced
from slowfast_bias.models.static_dropout import attach_static_dropout


class Fixed(nn.Module):
    """Returns what a function makes of its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Linear(4, 3)

    def forward(self, x):
        return self.projection(x.movedim(1, -1)).flatten(1, -2).mean(1)


class Net(nn.Module):
    def __init__(self, stage):
        super().__init__()
        self.stage, self.head = Fixed(stage), Head()

    def forward(self, x):
        y = self.stage(x)
        return self.head(y if isinstance(y, torch.Tensor) else y[0])


@pytest.fixture
def clip():
    torch.manual_seed(0)
    return torch.randn(2, 4, 3, 5, 5)


def traces(model):
    """What is left behind in a network: hooks, and forwards of instances."""
    left = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    return sum(left) + sum("forward" in vars(m) for m in model.modules())


def output(model, layer, channels, x, **options):
    """What the first module of `model` returns while some channels are silenced."""
    with silenced(model, layer, channels, **options):
        return model.get_submodule(layer.partition("/")[0])(x)


@pytest.mark.parametrize("channels", [[2], [0, 3], range(4), torch.tensor([1]), iter([1, 1])])
def test_only_the_named_channels_are_zero(clip, channels):
    channels = list(channels)
    y = output(nn.Sequential(nn.Identity()), "0", channels, clip)
    others = [c for c in range(4) if c not in channels]
    assert (y[:, channels] == 0).all() and torch.equal(y[:, others], clip[:, others])


def test_the_network_gets_its_output_silenced_and_its_own_tensors_unchanged(clip):
    kept = []
    net = Net(lambda x: kept.append([x]) or kept[-1])
    before = clip.clone()
    plain = net(clip)
    with silenced(net, "stage", [1]):
        assert not torch.equal(net(clip), plain)
    assert torch.equal(kept[-1][0], before) and torch.equal(clip, before)
    assert torch.equal(net(clip), plain)


@pytest.mark.parametrize("layer", ["stage", "head", "head.projection"])
def test_no_channels_change_no_bit(clip, layer):
    net = Net(lambda x: x)
    plain = net(clip)
    with silenced(net, layer, []):
        assert torch.equal(net(clip), plain)


def test_a_pathway_is_silenced_by_itself(clip):
    y = output(nn.Sequential(Fixed(lambda x: [x, x + 1])), "0/1", [2], clip)
    assert isinstance(y, list) and torch.equal(y[0], clip)
    assert (y[1][:, 2] == 0).all() and torch.equal(y[1][:, :2], clip[:, :2] + 1)


def test_a_single_pathway_needs_no_number(clip):
    net = nn.Sequential(Fixed(lambda x: [x]))
    for layer in ("0", "0/0"):
        (y,) = output(net, layer, [2], clip)
        assert (y[:, 2] == 0).all()


def test_tokens_with_their_grid_have_channels_last():
    net = nn.Sequential(Fixed(lambda x: (x, [1, 2, 3])))
    tokens, grid = output(net, "0", [4], torch.ones(2, 7, 5))
    assert grid == [1, 2, 3] and (tokens[..., 4] == 0).all() and tokens.sum() == 2 * 7 * 4


@pytest.mark.parametrize("kind", [nn.Linear(5, 6), nn.LayerNorm(6)])
def test_linear_layers_have_channels_last(kind):
    x = torch.randn(2, 7, 5 if isinstance(kind, nn.Linear) else 6)
    assert (output(nn.Sequential(kind), "0", [4], x)[..., 4] == 0).all()


def test_channels_last_can_be_said_or_come_from_the_tap():
    net, x = nn.Sequential(nn.Identity()), torch.ones(2, 5, 5)
    y = output(net, "0", [4], x, channels_last=True)
    assert (y[..., 4] == 0).all() and y.sum() == 40
    with silenced(net, "last", [4], taps=[Tap("0", channels_last=True, name="last")]):
        assert torch.equal(net(x), y)


def test_head_is_what_the_classifier_sees(clip):
    net = Net(lambda x: x)
    with silenced(net, "head", [0, 2]):
        silent = net(clip)
    with torch.no_grad():
        net.head.projection.weight[:, [0, 2]] = 0
    torch.testing.assert_close(silent, net(clip))


def test_a_head_without_a_classifier_inside_is_a_module_like_others(clip):
    net = nn.Sequential()
    net.head = nn.Linear(5, 3)
    with silenced(net, "head", [1]):
        y = net(clip)
    assert y.shape[-1] == 3 and (y[..., 1] == 0).all() and (y[..., 0] != 0).all()


class Masked(nn.Module):
    """Calls its child with a tensor and another one by keyword, and returns a pair."""

    class Mix(nn.Module):
        def forward(self, x, mask, scale):
            return x * mask, scale * x

    def __init__(self):
        super().__init__()
        self.mix = self.Mix()

    def forward(self, x):
        return self.mix(x, mask=torch.ones_like(x), scale=torch.ones_like(x))


def test_a_tap_of_a_keyword_silences_what_came_under_it():
    x = torch.rand(2, 3, 4) + 1
    tap = Tap("mix", of="input", argument="scale")
    with torch.no_grad(), silenced(model := Masked(), "mix", [1], taps=[tap]):
        product, scaled = model(x)
    assert torch.equal(product, x)
    assert scaled[:, 1].eq(0).all() and torch.equal(scaled[:, ::2], x[:, ::2])


def test_of_a_tap_on_the_first_output_the_others_are_no_pathways():
    x = torch.rand(2, 3, 4) + 1
    with torch.no_grad(), silenced(model := Masked(), "mix", [1], taps=[Tap("mix", first=True)]):
        product, scaled = model(x)
    assert product[:, 1].eq(0).all() and torch.equal(product[:, ::2], x[:, ::2])
    assert torch.equal(scaled, x)


def test_a_tap_of_an_input_silences_the_input(clip):
    net = Net(lambda x: x)
    taps = [Tap("head.projection", of="input", channels_last=True, name="seen")]
    with silenced(net, "seen", [3], taps=taps):
        by_tap = net(clip)
    with silenced(net, "head", [3]):
        assert torch.equal(net(clip), by_tap)


@pytest.mark.parametrize("layer", ["stage", "head"])
def test_nested_blocks_silence_the_union(clip, layer):
    net = Net(lambda x: x)
    plain = net(clip)
    with silenced(net, layer, [0, 3]):
        both = net(clip)
    with silenced(net, layer, [0]):
        outer = net(clip)
        with silenced(net, layer, [3]):
            assert torch.equal(net(clip), both)
        assert torch.equal(net(clip), outer) and not torch.equal(outer, both)
    assert torch.equal(net(clip), plain) and traces(net) == 0


@pytest.mark.parametrize("layer", ["stage", "head"])
def test_nothing_is_left_after_success_or_after_an_error(clip, layer):
    net = Net(lambda x: x)
    with silenced(net, layer, [0]):
        assert traces(net) > 0
        net(clip)
    assert traces(net) == 0
    with pytest.raises(ZeroDivisionError), silenced(net, layer, [0]):
        1 / 0  # noqa: B018
    assert traces(net) == 0


HEAD = Tap("head.projection", of="input", channels_last=True, name="head")


@pytest.mark.parametrize(("layer", "tap"), [("stage", Tap("stage")), ("head", HEAD)])
def test_a_tap_inside_the_block_reads_silence(clip, layer, tap):
    net = Net(lambda x: x)
    with silenced(net, layer, [1]), tapped(net, [tap]) as features:
        net(clip)
    others = features[layer][:, [0, 2, 3]]
    assert (features[layer][:, 1] == 0).all() and (others != 0).all()
    with tapped(net, [tap]) as features:
        net(clip)
    assert torch.equal(features[layer][:, [0, 2, 3]], others)  # nothing else was changed


def test_gradients_flow_through_the_channels_that_speak(clip):
    clip.requires_grad_()
    output(nn.Sequential(nn.Identity()), "0", [1], clip).sum().backward()
    assert clip.grad.sum((0, 2, 3, 4)).tolist() == [150, 0, 150, 150]


@pytest.mark.parametrize(
    ("layer", "channels", "message"),
    [
        ("stge", [0], "did you mean 'stage'"),
        ("stge/1", [0], "got 'stge'; did you mean 'stage'"),
        ("stage/1", [0], r"one of \['stage'\], but got 'stage/1'"),
        ("stage", [4], r"below its number of channels.*got 4 for \(2, 4, 3, 5, 5\)"),
        ("head", [4], "of 'head' below"),
        ("stage", [-1], "indices from 0, but got -1"),
        ("stage", [0.5], "to be indices"),
        ("stage", [True, False, True, False], r"mask\.nonzero"),
        ("stage", [[0, 1]], r"shape \(1, 2\)"),
    ],
)
def test_what_cannot_be_silenced_is_explained(clip, layer, channels, message):
    net = Net(lambda x: x)
    with pytest.raises(ValueError, match=message), silenced(net, layer, channels):
        net(clip)
    assert traces(net) == 0


def test_several_pathways_ask_for_a_number(clip):
    net = Net(lambda x: [x, x])
    for layer in ("stage", "stage/2"):
        expected = r"'stage/0', 'stage/1'"
        with pytest.raises(ValueError, match=expected), silenced(net, layer, [0]):
            net(clip)


def test_an_output_that_is_not_understood_is_named(clip):
    with pytest.raises(ValueError, match="'0' to be a tensor.*dict"):
        output(nn.Sequential(Fixed(lambda x: {"x": x})), "0", [0], clip)


# -- real networks -------------------------------------------------------------------------------


@pytest.fixture
def build(tiny):
    """A function: a host's network in eval mode, and what runs it on the same clips every time."""

    def build(*opts):
        cfg = tiny(*opts)
        torch.manual_seed(0)
        model = host.build_model(cfg).eval()
        size = cfg.DATA.TRAIN_CROP_SIZE
        clips = host.pack_batch(cfg, torch.randn(2, 3, cfg.DATA.NUM_FRAMES, size, size))

        @torch.no_grad()
        def run():
            return model([x.clone() for x in clips])

        return model, run

    return build


@pytest.mark.host
@pytest.mark.parametrize("opts", NETWORKS)
def test_every_layer_of_a_report_can_be_silenced_by_its_name(build, opts):
    model, run = build(*opts)
    taps = [Tap(**layer) for layer in host.layers(model)]
    with tapped(model, taps) as features:
        plain = run()
        layers = {name: x.shape[1] for name, x in features.items()}
    names = [name for name, _ in model.named_modules()]
    for layer, channels in layers.items():
        with silenced(model, layer, range(channels), taps=taps), tapped(model, taps) as features:
            silent = run()
        assert not torch.equal(silent, plain), layer
        assert (features[layer] == 0).all(), layer
    assert torch.equal(run(), plain) and traces(model) == 0
    assert [name for name, _ in model.named_modules()] == names


@pytest.mark.host
@pytest.mark.parametrize("opts", NETWORKS)
def test_head_needs_no_tap(build, opts):
    model, run = build(*opts)
    with silenced(model, "head", [0, 5]):
        silent = run()
    with torch.no_grad():
        model.get_parameter(f"{host.head(model).projection}.weight")[:, [0, 5]] = 0
    torch.testing.assert_close(silent, run())


@pytest.mark.host
def test_a_unit_of_the_fast_pathway_is_one_behind_the_slow_ones_in_the_head(build):
    model, run = build(*SLOWFAST)
    with tapped(model, ["s5"]) as features:
        plain = run()
        slow = features["s5/0"].shape[1]
    for layer, channel in (("s5/0", 7), ("s5/1", slow + 7)):
        with silenced(model, layer, [7]):
            by_stage = run()
        with silenced(model, "head", [channel]):
            torch.testing.assert_close(run(), by_stage, rtol=0, atol=0)
        assert not torch.equal(by_stage, plain)
    with pytest.raises(ValueError, match="'s5/0', 's5/1'"), silenced(model, "s5", [7]):
        run()


@pytest.mark.host
def test_static_dropout_in_the_slot_is_a_layer_too(build):
    model, run = build()
    attach_static_dropout(model.head, rate=0.5)
    with silenced(model, "head.dropout", [3]):
        by_slot = run()
    with silenced(model, "head", [3]):
        assert torch.equal(run(), by_slot)


class Tokens(nn.Module):
    """(B, L, C) from a module whose kind does not say where channels are."""

    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(3, 6), nn.ReLU())

    def forward(self, x):
        return self.block(x)


def test_channels_of_tokens_are_silenced_as_a_tap_reads_them():
    torch.manual_seed(0)
    model, x = Tokens(), torch.rand(2, 7, 3)
    full = model(x)
    with silenced(model, "block", [1, 4]):
        quiet = model(x)
    assert not quiet[..., [1, 4]].any()
    assert torch.equal(quiet[..., [0, 2, 3, 5]], full[..., [0, 2, 3, 5]])
