"""Taps: what is heard, how it is pooled, and that nothing stays behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slowfast_bias.bias import Tap, rewriting, tapped
from slowfast_bias.bias.taps import whole


class Fixed(nn.Module):
    """Returns what it was given, or calls it."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value(x) if callable(self.value) else self.value


class Net(nn.Module):
    """stem -> twice(twice) -> head, with an `unused` module aside."""

    def __init__(self):
        super().__init__()
        self.stem, self.twice = nn.Identity(), Fixed(lambda x: 2 * x)
        self.head = nn.Sequential(nn.Flatten(2), nn.ReLU(inplace=True))
        self.unused = nn.Identity()

    def forward(self, x):
        return self.head(self.twice(self.twice(self.stem(x))))


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def hear(module, x, **tap):
    model = nn.Sequential(module)
    with tapped(model, [Tap("0", **tap)]) as features:
        model(x)
    return features


@pytest.fixture
def clip():
    return torch.arange(2 * 3 * 2 * 4 * 4, dtype=torch.float32).reshape(2, 3, 2, 4, 4)


def test_channels_first_is_the_mean_over_time_and_space(clip):
    torch.testing.assert_close(hear(nn.Identity(), clip)["0"], clip.mean((2, 3, 4)))


def test_channels_last_is_the_mean_over_the_middle(clip):
    got = hear(nn.Identity(), clip.permute(0, 2, 3, 4, 1), channels_last=True)["0"]
    torch.testing.assert_close(got, clip.mean((2, 3, 4)))


@pytest.mark.parametrize("channels_last", [False, True])
def test_features_without_space_are_taken_as_they_are(channels_last):
    x = torch.randn(4, 3)
    assert torch.equal(hear(nn.Identity(), x, channels_last=channels_last)["0"], x)


def test_tokens_leave_out_the_class_token():
    x = torch.randn(2, 5, 3)
    block = Fixed(lambda x: (x, [1, 2, 2]))  # as MViT's blocks return (x, thw)
    got = hear(block, x, channels_last=True, skip_tokens=1)
    torch.testing.assert_close(got, {"0": x[:, 1:].mean(1)})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_averaged_in_float32(dtype):
    x = torch.full((1, 1, 5000), 1.0, dtype=dtype)
    x[..., ::2] = 1.0078125  # one step of bfloat16; the mean lies between two of its values
    got = hear(nn.Identity(), x)["0"]
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, x.float().mean(2), rtol=0, atol=1e-6)


def test_float64_stays_float64():
    assert hear(nn.Identity(), torch.zeros(1, 2, 3).double())["0"].dtype == torch.float64


def test_pathways_get_a_suffix_and_a_list_of_one_does_not(clip):
    fast = torch.randn(2, 5, 8, 4, 4)
    two = hear(Fixed([clip, fast]), None)
    assert list(two) == ["0/0", "0/1"]
    torch.testing.assert_close(two["0/1"], fast.mean((2, 3, 4)))
    assert list(hear(Fixed([clip]), None)) == ["0"]


class Overwriting(nn.Module):
    """Pools its stage's pathways into the very list that the stage returned, as SlowFast does."""

    def __init__(self):
        super().__init__()
        self.s2 = Fixed(lambda x: list(x))

    def forward(self, x):
        x = self.s2(x)
        x[0] = x[0][:, :, :1]
        return x


def test_a_list_overwritten_by_the_host_does_no_harm(clip):
    model = Overwriting()
    with tapped(model, ["s2"]) as features:
        model([clip])
    torch.testing.assert_close(features["s2"], clip.mean((2, 3, 4)))


def test_features_are_not_changed_by_work_in_place_afterwards():
    x = torch.tensor([[-1.0, 2.0]])
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
    with tapped(model, ["0", Tap("1", of="input", name="into relu")]) as features:
        model(x)
    assert features["0"].tolist() == features["into relu"].tolist() == [[-1.0, 2.0]]


def test_features_carry_no_gradient_and_the_model_keeps_its_own():
    model = nn.Linear(3, 2)
    net = nn.Sequential(model)
    with tapped(net, ["0"]) as features:
        net(torch.randn(4, 3)).sum().backward()
    assert not features["0"].requires_grad and model.weight.grad is not None


def test_labels_and_order_follow_the_network(clip):
    model = Net()
    taps = [Tap("head", name="last"), Tap("twice", fires="first"), "stem"]
    with tapped(model, taps) as features:
        model(clip)
    assert list(features) == ["stem", "twice", "last"]


@pytest.mark.parametrize(("fires", "factor"), [("first", 2.0), ("last", 4.0)])
def test_shared_weights_count_the_run_that_is_asked_for(clip, fires, factor):
    model = Net()
    with tapped(model, [Tap("twice", fires=fires)]) as features:
        model(clip)
    torch.testing.assert_close(features["twice"], factor * clip.mean((2, 3, 4)))


def test_shared_weights_without_a_choice_are_an_error(clip):
    model = Net()
    with pytest.raises(ValueError, match="fires='first'"), tapped(model, ["twice"]):
        model(clip)
    assert hooks(model) == 0


def test_every_forward_starts_afresh(clip):
    model = Net()
    with tapped(model, ["stem"]) as features:
        model(clip)
        first = dict(features)
        model(clip + 1)
    torch.testing.assert_close(features["stem"], first["stem"] + 1)


def test_pathways_of_an_earlier_forward_do_not_linger(clip):
    model = nn.Sequential(Fixed(lambda x: x))
    with tapped(model, ["0"]) as features:
        model([clip, clip])
        assert list(features) == ["0/0", "0/1"]
        model([clip])
    assert list(features) == ["0"]


@pytest.mark.parametrize(
    ("taps", "message"),
    [
        (["hed"], "did you mean 'head'.*stem, twice, head, unused"),
        (["stem", "stem"], "labels that differ"),
        ([], "at least one tap"),
        (["unused"], r"\['unused'\] did not"),
    ],
)
def test_bad_taps_are_explained_and_leave_no_hooks(clip, taps, message):
    model = Net()
    with pytest.raises(ValueError, match=message), tapped(model, taps):
        model(clip)
    assert hooks(model) == 0


def test_no_hooks_after_success_or_after_a_model_that_raises(clip):
    model = Net()
    with tapped(model, ["stem", "head"]):
        assert hooks(model) > 0
        model(clip)
    assert hooks(model) == 0
    model.head.append(Fixed(lambda x: 1 / 0))
    with pytest.raises(ZeroDivisionError), tapped(model, ["stem", "head"]):
        model(clip)
    assert hooks(model) == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"x": 1}, "but got dict"),
        ([1, 2], r"list of \['int', 'int'\]"),
        (torch.zeros(2), r"\(2,\)"),
        (torch.zeros(2, 3, dtype=torch.long), "torch.int64"),
    ],
)
def test_an_output_that_is_not_understood_is_named(value, message):
    with pytest.raises(ValueError, match=message):
        hear(Fixed(value), None)


def test_fields_of_a_tap_are_checked():
    for bad in ({"of": "middle"}, {"fires": "twice"}, {"skip_tokens": 1}, {"argument": "x"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Tap("s5", **bad)
    with pytest.raises(ValueError, match="more than 4 tokens"):
        hear(nn.Identity(), torch.zeros(2, 4, 3), channels_last=True, skip_tokens=4)


def test_rewriting_replaces_an_output_until_the_block_ends(clip):
    model = Net()
    plain = model(clip)
    with rewriting(model, "stem", lambda x: 3 * x), tapped(model, ["stem"]) as features:
        torch.testing.assert_close(model(clip), 3 * plain)
        torch.testing.assert_close(features["stem"], 3 * clip.mean((2, 3, 4)))
    assert torch.equal(model(clip), plain) and hooks(model) == 0


def test_rewriting_is_undone_after_an_error(clip):
    model = Net()
    with pytest.raises(ValueError, match="did you mean 'stem'"), rewriting(model, "stm", abs):
        pass
    with pytest.raises(ValueError, match="got None"), rewriting(model, "stem", lambda x: None):
        model(clip)
    assert hooks(model) == 0


class Block(nn.Module):
    """Is called with keywords and returns a tuple of tensors, as blocks of other libraries."""

    def forward(self, hidden_states=None, mask=None):
        return 2 * hidden_states, hidden_states[:, :1]


class Keywords(nn.Module):
    def __init__(self, **names):
        super().__init__()
        self.block, self.names = Block(), names

    def forward(self, x):
        return self.block(**{name: x if value is None else value for name, value in
                             self.names.items()})[0]  # fmt: skip


def test_an_argument_given_by_keyword_is_read(clip):
    one, two = Keywords(hidden_states=None), Keywords(hidden_states=None, mask=3)
    for model, argument in ((one, None), (one, "hidden_states"), (two, "hidden_states")):
        with tapped(model, [Tap("block", of="input", argument=argument)]) as features:
            model(clip)
        torch.testing.assert_close(features["block"], clip.mean((2, 3, 4)))
        assert hooks(model) == 0
    for model, argument in ((two, None), (one, "tokens")):
        tap = Tap("block", of="input", argument=argument)
        with pytest.raises(ValueError, match="hidden_states.*argument"), tapped(model, [tap]):
            model(clip)
        assert hooks(model) == 0


def test_the_first_of_a_tuple_can_be_all_that_is_read(clip):
    model = nn.Sequential(Fixed(lambda x: (2 * x, x[:, :1])), Fixed(lambda x: x[0]))
    with tapped(model, [Tap("0", first=True)]) as features:
        model(clip)
    assert list(features) == ["0"]
    torch.testing.assert_close(features["0"], 2 * clip.mean((2, 3, 4)))
    with tapped(model, ["0"]) as features:  # else they are pathways
        model(clip)
    assert list(features) == ["0/0", "0/1"] and hooks(model) == 0


def test_a_whole_output_keeps_its_shape_and_its_gradient(clip):
    model = nn.Sequential(nn.Conv3d(3, 4, 1), nn.ReLU())
    x = clip.clone().requires_grad_()
    with tapped(model, ["0"], read=whole) as features:
        model(x)
        features["0"][:, 2].sum().backward()
    assert features["0"].shape == (2, 4, 2, 4, 4)
    expected = model[0].weight[2, :, 0, 0, 0].detach()
    torch.testing.assert_close(x.grad, expected.view(1, 3, 1, 1, 1).expand_as(x))
    with tapped(model, ["0"]) as features:
        model(x)
    assert not features["0"].requires_grad and hooks(model) == 0


@pytest.mark.parametrize("positional", [True, False])
def test_an_input_is_rewritten_however_it_is_given(clip, positional):
    model = Net() if positional else Keywords(hidden_states=None)
    tap = Tap("twice" if positional else "block", of="input", fires="last")
    plain = model(clip)
    with rewriting(model, tap, lambda x: x + 1), tapped(model, [tap]) as features:
        changed = model(clip)
    expected = 2 * (2 * (clip + 1) + 1) if positional else 2 * (clip + 1)
    torch.testing.assert_close(changed, expected.flatten(2) if positional else expected)
    read = (2 * (clip + 1) + 1) if positional else clip + 1  # as it was rewritten
    torch.testing.assert_close(features[tap.label], read.mean((2, 3, 4)))
    assert torch.equal(model(clip), plain) and hooks(model) == 0
    with pytest.raises(ValueError, match="new input.*got None"):  # noqa: SIM117
        with rewriting(model, tap, lambda x: None):
            model(clip)
    assert hooks(model) == 0


def test_means_keep_their_gradient_if_asked_and_are_the_same_numbers():
    model, x = nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.ReLU()), torch.randn(2, 3, 4, 5, 5)
    x.requires_grad_()
    with tapped(model, ["0", "1"]) as features:
        model(x)
        plain = dict(features)
    with tapped(model, ["0", "1"], gradient=True) as features:
        model(x)
    for layer, mean in plain.items():
        assert not mean.requires_grad and torch.equal(mean, features[layer])
    (gradient,) = torch.autograd.grad(features["1"][0, 2], x)
    assert gradient[0].any() and not gradient[1].any()  # of the other clip there is none
