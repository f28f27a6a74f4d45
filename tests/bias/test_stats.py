"""PairStats and layer scores against numpy, written from the formulas of docs/METHOD.md."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
import torch

from slowfast_bias.bias import PairStats
from slowfast_bias.bias.jackknife import jackknife_error
from slowfast_bias.bias.scores import layer_scores, percent, unit_kinds
from slowfast_bias.bias.stats import leave_one_out


def make_pairs(n=200, c=7, offset=0.0, gap=0.0, seed=0):
    """Pairs with correlations from -0.9 to 0.9 over the channels, in float64."""
    rng = np.random.default_rng(seed)
    r = np.linspace(-0.9, 0.9, c)
    a = rng.standard_normal((n, c))
    b = r * a + np.sqrt(1 - r**2) * rng.standard_normal((n, c))
    return torch.from_numpy(a + offset), torch.from_numpy(2 * b + offset + gap)


def reference_pearson(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


def reference_pooled(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    m = (a.mean(0) + b.mean(0)) / 2
    return ((a - m) * (b - m)).mean(0) / np.concatenate([a, b]).var(0)


def reference_pooled_layer(factors):
    factors = {f: [x.double().numpy() for x in pair] for f, pair in factors.items()}
    v = np.concatenate([x for pair in factors.values() for x in pair]).var(0)
    scores = {}
    for factor, (a, b) in factors.items():
        m = (a.mean(0) + b.mean(0)) / 2
        scores[factor] = ((a - m) * (b - m)).mean(0).sum() / v.sum()
    return scores


def split(a, b, sizes):
    parts = zip(a.split(sizes), b.split(sizes), strict=True)
    return [PairStats.of(x, y) for x, y in parts]


def close(got, want, tolerance):
    torch.testing.assert_close(got, torch.as_tensor(want), rtol=0, atol=tolerance, equal_nan=True)


def same(first, second, tolerance=0.0):
    for x, y in zip(first.fields(), second.fields(), strict=True):
        torch.testing.assert_close(x, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("offset", [0.0, 10.0, 1e3, 1e4])
@pytest.mark.parametrize("sizes", [[200], [1, 2, 60, 137], [50] * 4])
def test_correlation_and_pooled_agree_with_numpy(offset, sizes):
    a, b = make_pairs(offset=offset, gap=0.7)
    stats = reduce(PairStats.merge, split(a, b, sizes))
    close(stats.correlation(), reference_pearson(a, b), 1e-9)
    close(stats.pooled(), reference_pooled(a, b), 1e-9)


def test_pooled_is_lower_than_correlation_when_the_views_have_other_means():
    stats = PairStats.of(*make_pairs(gap=5.0))
    positive = stats.correlation() > 0.2
    assert positive.any() and (stats.pooled()[positive] < 0).all()


def test_float32_sums_would_fail_where_ours_do_not():
    a, b = (x.float() for x in make_pairs(n=4000, offset=1000.0))
    naive = (a * b).mean(0) - a.mean(0) * b.mean(0)
    naive = naive / ((a * a).mean(0) - a.mean(0) ** 2).sqrt()
    naive = (naive / ((b * b).mean(0) - b.mean(0) ** 2).sqrt()).double()
    wrong = (naive - torch.from_numpy(reference_pearson(a, b))).abs()
    assert not (wrong.nan_to_num(nan=1.0) < 0.01).all()
    close(PairStats.of(a, b).correlation(), reference_pearson(a, b), 1e-9)


def test_fields_are_float64_and_of_counts_pairs():
    stats = PairStats.of(torch.ones(5, 3).half(), torch.zeros(5, 3).half())
    assert {x.dtype for x in stats.fields()} == {torch.float64}
    assert stats.n == 5 and stats.n.shape == ()
    assert {x.shape for x in stats.fields()[1:]} == {(3,)}


def test_merge_does_not_depend_on_order_or_split():
    a, b = make_pairs(offset=100.0)
    whole = PairStats.of(a, b)
    parts = split(a, b, [3, 90, 7, 100])
    same(reduce(PairStats.merge, parts), whole, 1e-10)
    same(reduce(PairStats.merge, parts[::-1]), whole, 1e-10)
    same(parts[0].merge(parts[1]).merge(parts[2].merge(parts[3])), whole, 1e-10)


def test_merge_with_empty_changes_nothing_bit_for_bit():
    stats = PairStats.of(*make_pairs(offset=100.0))
    same(stats.merge(PairStats.empty(7)), stats)
    same(PairStats.empty(7).merge(stats), stats)
    assert PairStats.empty(7).merge(PairStats.empty(7)).correlation().isnan().all()


def test_merge_changes_neither_side():
    parts = split(*make_pairs(), [150, 50])
    before = [[x.clone() for x in part.fields()] for part in parts]
    parts[0].merge(parts[1])
    for part, old in zip(parts, before, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(part.fields(), old, strict=True))


def test_of_no_pairs_is_empty():
    same(PairStats.of(torch.zeros(0, 4), torch.zeros(0, 4)), PairStats.empty(4))


def test_identical_pairs_score_one():
    a, _ = make_pairs(offset=1e4)
    stats = reduce(PairStats.merge, split(a, a.clone(), [9, 91, 100]))
    close(stats.correlation(), torch.ones(7).double(), 1e-12)
    close(stats.pooled(), torch.ones(7).double(), 1e-12)


def test_negative_correlation_is_kept():
    a, _ = make_pairs()
    close(PairStats.of(a, -a).correlation(), -torch.ones(7).double(), 1e-12)


@pytest.mark.parametrize("level", [0.0, 1.0, 1e4, -3e-5])
def test_a_channel_that_does_not_move_in_one_view_is_dead(level):
    a, b = make_pairs()
    a[:, 2] = level
    b[:, 4] = level
    # Rounding noise of a float32 mean, far below one part in a million, is no movement either.
    a[:, 5] = 1e4 + 1e-4 * a[:, 5]
    stats = PairStats.of(a, b)
    dead = [False, False, True, False, True, True, False]
    assert stats.dead().tolist() == dead
    assert stats.correlation().isnan().tolist() == stats.pooled().isnan().tolist() == dead


def test_noise_about_zero_is_dead():
    a, b = make_pairs()
    assert PairStats.of(a * 1e-11, b * 1e-11).dead().all()  # below the absolute floor, sd 1e-10


def test_a_small_but_moving_channel_is_alive():
    a, b = make_pairs()
    close(PairStats.of(a * 1e-6, b * 1e-6).correlation(), reference_pearson(a, b), 1e-9)


def test_shapes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"\(5, 3\) and \(5, 4\)"):
        PairStats.of(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(ValueError, match=r"\(3,\) and \(1,\)"):
        PairStats.empty(3).merge(PairStats.empty(1))


def test_grouped_rows_are_the_groups_own_statistics():
    a, b = make_pairs(n=60, offset=50.0)
    groups = torch.arange(60) % 4
    stack = PairStats.grouped(a, b, groups, 5)
    for k in range(4):
        same(stack.fold(k), PairStats.of(a[groups == k], b[groups == k]), 1e-10)
    same(stack.fold(4), PairStats.empty(7))


def test_leave_one_out_is_everything_but_one_fold():
    a, b = make_pairs(n=60, offset=50.0)
    groups = torch.arange(60) % 4
    total, others = leave_one_out(PairStats.grouped(a, b, groups, 4))
    same(total, PairStats.of(a, b), 1e-10)
    for k in range(4):
        same(others.fold(k), PairStats.of(a[groups != k], b[groups != k]), 1e-10)


def test_layer_scores_agree_with_numpy_over_the_units_alive_in_both_factors():
    pairs = {"static": make_pairs(n=80, gap=1.0), "dynamic": make_pairs(n=130, offset=2.0, seed=1)}
    pairs["static"][0][:, 3] = 1.0  # dead for static, so out of dynamic's mean as well
    stats = {f: PairStats.of(a, b) for f, (a, b) in pairs.items()}
    alive = [i for i in range(7) if i != 3]
    pearson, pooled = layer_scores(stats, "pearson"), layer_scores(stats, "pooled")
    kept = {f: [x[:, alive] for x in pair] for f, pair in pairs.items()}
    for factor, (a, b) in kept.items():
        assert pearson[factor] == pytest.approx(reference_pearson(a, b).mean(), abs=1e-9)
        assert pooled[factor] == pytest.approx(reference_pooled_layer(kept)[factor], abs=1e-9)


def test_a_third_factor_does_not_change_the_other_two():
    stats = {"static": PairStats.of(*make_pairs()), "dynamic": PairStats.of(*make_pairs(seed=1))}
    flow = PairStats.of(*(torch.zeros(9, 7), torch.zeros(9, 7)))  # all dead
    for statistic in ("pearson", "pooled"):
        both, three = (
            layer_scores(stats, statistic),
            layer_scores(stats | {"flow": flow}, statistic),
        )
        assert all(torch.equal(both[f], three[f]) for f in stats)
        assert "flow" in three


def test_percent_is_the_softmax_of_eq_1():
    got = percent(torch.tensor(0.5), torch.tensor(-0.25))
    e = np.exp([0.5, -0.25, 1.0])
    assert [x.item() for x in got.values()] == pytest.approx(100 * e / e.sum(), rel=1e-6)
    assert list(got) == ["static", "dynamic", "residual"]


def test_unit_kinds_at_the_threshold_do_not_encode():
    nan = float("nan")
    static = torch.tensor([0.6, 0.1, 0.9, 0.5, nan, 0.9])
    dynamic = torch.tensor([0.1, 0.6, 0.9, 0.5, 0.9, nan])
    kinds = {k: m.nonzero().flatten().tolist() for k, m in unit_kinds(static, dynamic, 0.5).items()}
    assert kinds == {"static": [0], "dynamic": [1], "joint": [2], "residual": [3], "dead": [4, 5]}


def test_jackknife_error_of_a_mean_is_its_standard_error():
    x = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    replicates = (x.sum() - x) / 49
    assert jackknife_error(replicates) == pytest.approx(x.std().item() / 50**0.5, rel=1e-9)
    assert np.isnan(jackknife_error(x[:1]))
