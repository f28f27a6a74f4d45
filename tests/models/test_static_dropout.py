"""StaticDropout: what it draws, what it leaves alone, and where it sits in real heads."""

import copy
import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from support.networks import NETWORKS, SLOWFAST
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import PairStats, Tap, rewriting, tapped
from slowfast_bias.models.static_dropout import (
    StaticDropout,
    attach_static_dropout,
    draw,
    drop_logits,
    drop_probabilities,
    static_dropout,
)

SCORES = torch.tensor([0.9, -0.4, 0.1, 0.6, -0.8])


class Head(nn.Module):
    def __init__(self, channels=8, dropout=None):
        super().__init__()
        if dropout is not None:
            self.dropout = dropout
        self.projection = nn.Linear(channels, 3)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def drops(drop, rows=1000):
    """Which channels of each row are dropped, (rows, C)."""
    return drop(torch.ones(rows, drop.channels)) == 0


# -- the drawing ---------------------------------------------------------------------------------


def sequential(p, k):
    """The probability of every set of k channels drawn one by one without replacement."""
    sets = {}
    for order in itertools.permutations(range(len(p)), k):
        left, probability = 1.0, 1.0
        for i in order:
            probability *= p[i] / left
            left -= p[i]
        sets[frozenset(order)] = sets.get(frozenset(order), 0) + probability
    return sets


def chi_square(drop, expected):
    """Pearson's statistic of the drawn sets against their probabilities."""
    rows = [frozenset(row.nonzero().flatten().tolist()) for row in drop]
    counts = {chosen: n * len(rows) for chosen, n in expected.items()}
    return sum((rows.count(chosen) - n) ** 2 / n for chosen, n in counts.items())


@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("k", [2, 3])
def test_sets_are_drawn_as_by_sequential_sampling_without_replacement(k, temperature):
    p = drop_probabilities(SCORES.double(), temperature).tolist()
    expected = sequential(p, k)
    assert sum(expected.values()) == pytest.approx(1)
    drop = draw(drop_logits(SCORES, temperature), 20000, k)
    # 10 sets, 9 degrees of freedom: 33.7 is passed once in 10,000 seeds
    assert chi_square(drop, expected) < 33.7
    assert chi_square(drop, dict.fromkeys(expected, 0.1)) > 1000  # and the test can tell


def test_inclusion_frequencies_are_those_of_sequential_sampling():
    rate, n = 0.4, 20000
    sets = sequential(drop_probabilities(SCORES.double(), 0.5).tolist(), 2)
    exact = [sum(p for chosen, p in sets.items() if i in chosen) for i in range(5)]
    drop = StaticDropout(5, rate, temperature=0.5)
    drop.set_scores(SCORES)
    seen = drops(drop, n).double().mean(0)
    for got, wanted in zip(seen.tolist(), exact, strict=True):
        assert abs(got - wanted) < 4 * math.sqrt(wanted * (1 - wanted) / n)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("temperature", [1e-12, 0.1, 1.0, 1e6])
def test_exactly_the_rounded_number_of_channels_is_dropped(rate, temperature):
    drop = StaticDropout(41, rate, temperature)
    drop.set_scores(torch.linspace(-1, 1, 41))
    assert set(drops(drop).sum(1).tolist()) == {round(rate * 41)} == {drop.dropped}


def test_each_sample_has_its_own_draw_or_all_of_the_batch_one():
    assert len(drops(StaticDropout(64, 0.5, mask="sample"), 20).unique(dim=0)) == 20
    assert len(drops(StaticDropout(64, 0.5, mask="batch"), 20).unique(dim=0)) == 1


def test_all_positions_share_the_draw_of_their_sample():
    y = StaticDropout(16, 0.5)(torch.ones(3, 2, 4, 5, 16))
    assert torch.equal(y, y[:, :1, :1, :1].expand_as(y))


def test_equal_scores_are_uniform_dropping_to_the_bit():
    x = torch.randn(50, 20)
    fresh, equal = StaticDropout(20, 0.3), StaticDropout(20, 0.3, temperature=0.01)
    equal.set_scores(torch.full((20,), 0.7))
    torch.manual_seed(1)
    y = fresh(x)
    torch.manual_seed(1)
    assert torch.equal(y, equal(x))
    seen = drops(equal, 20000).double().mean(0)
    assert (seen - 0.3).abs().max() < 4 * math.sqrt(0.3 * 0.7 / 20000)


def test_equal_scores_preserve_the_expectation():
    y = StaticDropout(20, 0.3)(torch.ones(20000, 20))
    torch.testing.assert_close(y.sum(1), torch.full((20000,), 20.0))  # the number is exact
    spread = math.sqrt(0.3 / 0.7 / 20000)
    assert (y.mean(0) - 1).abs().max() < 4 * spread


def test_kept_channels_are_rescaled_by_the_exact_share():
    y = StaticDropout(7, 0.3)(torch.ones(9, 7))  # 2 of 7, not 0.3
    torch.testing.assert_close(y[y != 0], torch.full((9 * 5,), 7 / 5))


def test_a_low_temperature_drops_the_most_static_for_certain():
    drop = StaticDropout(5, 0.4, temperature=1e-6)
    drop.set_scores(SCORES)
    assert drops(drop).nonzero()[:, 1].unique().tolist() == [0, 3]


def test_probabilities_are_the_softmax_of_the_scores():
    torch.testing.assert_close(
        drop_probabilities(SCORES, 0.1), (SCORES.double() / 0.1).softmax(0).float()
    )


@pytest.mark.parametrize("temperature", [1e-12, 1e-3, 1.0])
def test_dead_channels_count_as_average_ones(temperature):
    scores = torch.tensor([0.8, math.nan, 0.2, math.nan])
    p = drop_probabilities(scores, temperature)
    assert torch.isfinite(p).all() and p.sum() == pytest.approx(1)
    average = torch.tensor([0.8, 0.5, 0.2, 0.5])
    torch.testing.assert_close(p, drop_probabilities(average, temperature))


def test_where_all_channels_are_dead_all_are_alike():
    assert drop_probabilities(torch.full((4,), math.nan)).tolist() == [0.25] * 4


# -- the layer -----------------------------------------------------------------------------------


def test_identity_in_evaluation_when_inactive_and_where_nothing_would_be_dropped():
    x, drop = torch.randn(4, 8), StaticDropout(8, 0.5)
    assert drop.eval()(x) is x
    drop.train().active = False
    assert drop(x) is x
    assert static_dropout(x, torch.zeros(8), rate=0.01) is x
    assert static_dropout(x, torch.zeros(8), rate=0.5, training=False) is x
    assert not torch.equal(static_dropout(x, torch.zeros(8), rate=0.5), x)


@pytest.mark.parametrize("mask", ["sample", "batch"])
def test_the_layer_is_the_function(mask):
    x, drop = torch.randn(4, 3, 5), StaticDropout(5, 0.4, 0.2, mask)
    drop.set_scores(SCORES)
    torch.manual_seed(3)
    y = drop(x)
    torch.manual_seed(3)
    assert torch.equal(y, static_dropout(x, drop_logits(SCORES, 0.2), 0.4, mask=mask))


@pytest.mark.parametrize("shape", [(3, 16, 2, 4, 5), (3, 16, 1, 1), (3, 16)])
def test_layouts_agree(shape):
    x = torch.randn(shape)
    logits = drop_logits(torch.randn(16))
    torch.manual_seed(3)
    first = static_dropout(x, logits, 0.4, channels_last=False)
    torch.manual_seed(3)
    last = static_dropout(x.movedim(1, -1), logits, 0.4, channels_last=True)
    assert torch.equal(first.movedim(1, -1), last)


@pytest.mark.parametrize("channels_last", [True, False])
def test_the_input_is_not_changed_and_no_samples_are_no_problem(channels_last):
    x = torch.randn(4, 6, 6)
    before = x.clone()
    drop = StaticDropout(6, 0.5, channels_last=channels_last)
    drop(x)
    assert torch.equal(x, before)
    assert drop(x[:0]).shape == (0, 6, 6)  # a detection batch without boxes


def test_gradients_are_zero_where_dropped_and_scaled_where_kept():
    x = torch.randn(5, 2, 8, requires_grad=True)
    y = StaticDropout(8, 0.25)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(y == 0, 0.0, 8 / 6))


def test_gradients_are_right_to_the_digit():
    x = torch.randn(2, 6, dtype=torch.double, requires_grad=True)

    def function(x):
        torch.manual_seed(4)  # the same draw in every evaluation
        return static_dropout(x, torch.zeros(6), 0.5)

    assert torch.autograd.gradcheck(function, x)


def test_a_dropped_infinity_is_gone():
    x = torch.full((2, 4), math.inf)
    y = StaticDropout(4, 0.5)(x)
    assert not y.isnan().any() and (y == 0).sum() == 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_of_the_input_is_kept(dtype):
    y = StaticDropout(10, 0.3)(torch.ones(3, 10, dtype=dtype))
    assert y.dtype == dtype
    torch.testing.assert_close(y[y != 0], torch.full((21,), 10 / 7, dtype=dtype))


def test_the_type_under_autocast_is_kept():
    net = nn.Sequential(nn.Linear(6, 10), StaticDropout(10, 0.3))
    with torch.autocast("cpu", torch.bfloat16):
        assert net(torch.randn(3, 6)).dtype == torch.bfloat16
    assert net.half()[1](torch.ones(3, 10).half()).dtype == torch.half


def test_nothing_of_it_is_in_the_state_dict_and_its_scores_travel_by_themselves():
    drop, other = StaticDropout(5, 0.4), StaticDropout(5, 0.4)
    drop.set_scores([0.1, math.nan, -0.2, 0.0, 1.0])
    assert not drop.state_dict() and not list(drop.parameters())
    kept = drop.get_scores()
    drop.set_scores(SCORES)
    other.set_scores(kept)  # a copy: what came later does not show
    assert other.get_scores().isnan().tolist() == [False, True, False, False, False]
    torch.manual_seed(5)
    expected = drops(drop)
    torch.manual_seed(5)
    assert torch.equal(expected, drops(copy.deepcopy(drop)))


def test_statistics_tell_what_was_drawn():
    drop = StaticDropout(5, 0.4, temperature=1e-6)
    flat = drop.statistics()
    assert flat["effective_channels"] == pytest.approx(5) and math.isnan(flat["drop_rate"])
    drop.set_scores([0.9, math.nan, 0.1, 0.6, 0.0])
    drops(drop, 10)
    told = drop.statistics()
    assert told["score_mean"] == pytest.approx(0.4)
    assert told["score_std"] == pytest.approx(math.sqrt((0.25 + 0.09 + 0.04 + 0.16) / 4))
    assert told["drop_rate"] == pytest.approx(0.4)
    assert told["dropped_score"] == pytest.approx(0.75)  # channels 0 and 3
    assert told["effective_channels"] == pytest.approx(1)
    assert math.isnan(drop.statistics()["drop_rate"])  # counted anew
    drops(drop, 10)
    assert drop.statistics()["drop_rate"] == pytest.approx(0.4)


def test_statistics_without_drawing_when_inactive():
    drop = StaticDropout(5, 0.4)
    drop.active = False
    drops(drop, 10)
    assert math.isnan(drop.statistics()["drop_rate"])


def test_a_printed_model_says_what_it_does():
    drop = StaticDropout(2304, 0.3, 0.1, "batch")
    assert "rate=0.3 (691 dropped), temperature=0.1, mask=batch" in repr(drop)
    drop.active = False
    assert repr(drop).endswith("inactive)")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.0}, "between 0 and 1.*got 0.0 for 8 channels"),
        ({"rate": 1.0}, "between 0 and 1"),
        ({"rate": -0.3}, "between 0 and 1"),
        ({"rate": math.nan}, "between 0 and 1"),
        ({"rate": 0.04}, "drops some channels and keeps some.*0.04 for 8"),
        ({"rate": 0.96}, "drops some channels and keeps some.*0.96 for 8"),
        ({"temperature": 0.0}, "Expected `temperature` >="),
        ({"temperature": -1.0}, "Expected `temperature` >="),
        ({"temperature": math.inf}, "Expected `temperature` >="),
        ({"mask": "clip"}, "'sample', 'batch'.*'clip'"),
    ],
)
def test_settings_that_make_no_sense_are_explained(settings, message):
    head = Head()
    with pytest.raises(ValueError, match=message):
        attach_static_dropout(head, **{"rate": 0.5, **settings})
    assert not hasattr(head, "dropout")


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([0.1] * 4, r"shape \(5,\).*got \(4,\)"),
        ([[0.1] * 5], r"got \(1, 5\)"),
        ([math.nan] * 5, "all are NaN"),
        ([math.inf, 0, 0, 0, 0], "some are inf"),
    ],
)
def test_scores_that_cannot_be_used_are_explained_and_change_nothing(scores, message):
    drop = StaticDropout(5, 0.4)
    drop.set_scores(SCORES)
    with pytest.raises(ValueError, match=message):
        drop.set_scores(scores)
    assert torch.equal(drop.get_scores(), SCORES)


@pytest.mark.parametrize(("shape", "last"), [((2, 5, 4), True), ((2, 4, 5), False), ((5,), True)])
def test_an_input_of_the_other_layout_is_explained(shape, last):
    with pytest.raises(ValueError, match=f"channels_last={last}"):
        StaticDropout(5, 0.4, channels_last=last)(torch.zeros(shape))


# -- the slot ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [nn.Dropout(0.5), StaticDropout(8, 0.1), None])
def test_it_takes_the_slot_of_a_head_in_the_heads_mode(dropout):
    for mode in (True, False):
        head = Head(dropout=dropout).train(mode)
        drop = attach_static_dropout(head, 0.5)
        assert head.dropout is drop and drop.training is mode


class ResNetRoIHead(Head):
    """Named as SlowFast's, whose slot has (boxes, C, 1, 1)."""


class TorchvideoHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = None
        self.proj = nn.Linear(8, 3)


class Subclass(ResNetRoIHead):
    pass


@pytest.mark.parametrize(
    ("kind", "last"),
    [(Head, True), (ResNetRoIHead, False), (Subclass, False), (TorchvideoHead, False)],
)
def test_the_layout_follows_the_kind_of_head_unless_it_is_given(kind, last):
    assert attach_static_dropout(kind(), 0.5).channels_last is last
    assert attach_static_dropout(kind(), 0.5, channels_last=not last).channels_last is not last


def test_of_an_mlp_the_first_layer_counts():
    head = Head()
    head.projection = nn.Sequential(nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 3))
    assert attach_static_dropout(head, 0.5).channels == 12


def test_a_head_without_a_linear_classifier_is_refused_by_its_parts():
    convolution, model = Head(), nn.Sequential()
    convolution.projection = nn.Conv3d(8, 3, 1)
    model.head = Head()
    for head, parts in ((convolution, "Head has projection"), (model, "Sequential has head")):
        with pytest.raises(ValueError, match=f"`projection` or `proj`.*{parts}"):
            attach_static_dropout(head, 0.5)


# -- real heads ----------------------------------------------------------------------------------


@pytest.fixture
def build(tiny):
    """A function: a host's network, its head, the head's place and a batch of clips."""

    def build(*opts, rate=0.5):
        cfg = tiny(*opts, "MODEL.DROPOUT_RATE", rate)
        torch.manual_seed(0)
        model = host.build_model(cfg)
        size = cfg.DATA.TRAIN_CROP_SIZE
        clips = host.pack_batch(cfg, torch.randn(4, 3, cfg.DATA.NUM_FRAMES, size, size))
        place = host.head(model)
        head = model.get_submodule(place.path)
        return SimpleNamespace(model=model, head=head, place=place, clips=clips, cfg=cfg)

    return build


@pytest.mark.host
@pytest.mark.parametrize("rate", [0.5, 0.0])
@pytest.mark.parametrize("opts", NETWORKS)
def test_in_real_heads_it_drops_what_the_classifier_sees(build, opts, rate):
    net = build(*opts, rate=rate)
    drop = attach_static_dropout(net.head, rate=0.3, temperature=1e-6)
    assert drop.channels_last is net.place.dropout_channels_last
    scores = torch.randn(drop.channels).clamp(-1, 1)
    drop.set_scores(scores)
    top = scores.argsort(descending=True)[: drop.dropped]
    tap = Tap(net.place.projection, of="input", channels_last=True)
    with tapped(net.model.train(), [tap]) as features:
        net.model(list(net.clips)).sum().backward()
    (seen,) = features.values()
    assert seen.shape == (4, drop.channels)
    assert (seen[:, top] == 0).all() and (seen != 0).any()
    weight = net.model.get_parameter(f"{net.place.projection}.weight")
    assert (weight.grad[:, top] == 0).all() and (weight.grad != 0).any()


@pytest.mark.host
@pytest.mark.parametrize("opts", NETWORKS)
def test_state_dicts_of_real_networks_keep_their_keys_and_load_strictly(build, opts):
    net, plain = build(*opts), build(*opts).model.state_dict()
    drop = attach_static_dropout(net.head, rate=0.3)
    drop.set_scores(torch.rand(drop.channels))
    assert list(net.model.state_dict()) == list(plain)
    net.model.load_state_dict(plain, strict=True)
    build(*opts).model.load_state_dict(net.model.state_dict(), strict=True)


@pytest.mark.host
@pytest.mark.parametrize("opts", NETWORKS)
def test_in_evaluation_real_networks_do_not_notice_it(build, opts):
    net = build(*opts)
    before = net.model.eval()(list(net.clips))
    drop = attach_static_dropout(net.head, rate=0.3)
    drop.set_scores(torch.rand(drop.channels))
    assert torch.equal(net.model(list(net.clips)), before)


@pytest.mark.host
def test_planted_static_units_of_both_pathways_are_dropped_most(build):
    net = build(*SLOWFAST)
    shapes = []
    with rewriting(net.model, "s5", lambda x: shapes.extend(y.shape for y in x) or x):
        net.model.eval()(list(net.clips))
    slow, planted = shapes[0][1], (3, 5)  # one unit of each pathway
    views = [[torch.randn(64, *shape[1:]) for shape in shapes] for _ in "ab"]
    for pathway, unit in enumerate(planted):  # the same in both views: static
        views[1][pathway][:, unit] = views[0][pathway][:, unit]
    drop, features = attach_static_dropout(net.head, rate=0.1, temperature=0.3), []
    for view in views:
        with tapped(net.head, [Tap("projection", of="input", channels_last=True)]) as heard:
            net.head(list(view))
        features.append(heard["projection"])
    scores = PairStats.of(*features).correlation()
    assert set(scores.topk(2).indices.tolist()) == {3, slow + 5}
    drop.set_scores(scores)
    net.head.train()(list(views[0]))
    assert set(drop.seen.topk(2).indices.tolist()) == {3, slow + 5}
    assert drop.seen[[3, slow + 5]].min() > 2 * drop.seen.sort().values[-3]


DISTRIBUTED = """
import sys, torch
from torch import distributed, nn
from slowfast_bias.models.static_dropout import StaticDropout
distributed.init_process_group("gloo", f"file://{sys.argv[1]}", rank=0, world_size=1)
drop = StaticDropout(8, 0.5)
net = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(3, 8), drop, nn.Linear(8, 2)))
for step in range(3):
    drop.set_scores(torch.randn(8))
    net(torch.randn(4, 3)).sum().backward()
assert all(p.grad is not None for p in net.parameters())
print(*net.module.state_dict(), drop.statistics()["drop_rate"])
distributed.destroy_process_group()
"""


def test_it_trains_inside_distributed_data_parallel(tmp_path, run_python):
    out = run_python(DISTRIBUTED, tmp_path / "store").stdout
    assert out.split() == ["0.weight", "0.bias", "2.weight", "2.bias", "0.5"]


@pytest.mark.gpu
def test_a_step_on_a_gpu_does_not_wait_for_it():
    drop = StaticDropout(2304, 0.3).cuda()
    drop.set_scores(torch.randn(2304))
    x = torch.randn(64, 1, 1, 1, 2304, device="cuda", requires_grad=True)
    drop(x).sum().backward()  # warm-up
    torch.cuda.set_sync_debug_mode("error")
    try:
        drop(x).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert drop.statistics()["drop_rate"] == pytest.approx(691 / 2304)
