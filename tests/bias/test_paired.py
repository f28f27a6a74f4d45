"""Changes paired by video: against definitions written out, scipy, and their own coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch

from slowfast_bias.bias.intervals import wilson
from slowfast_bias.bias.paired import kullback_leibler, mean_interval, paired_difference


def of_table(both, lost, gained, neither):
    """Hits before and after, of the four cells of a table."""
    before = [1.0] * (both + lost) + [0.0] * (gained + neither)
    after = [1.0] * both + [0.0] * lost + [1.0] * gained + [0.0] * neither
    return torch.tensor(before), torch.tensor(after)


@pytest.mark.parametrize("table", [(20, 9, 3, 8), (40, 0, 0, 0), (0, 40, 0, 0), (5, 0, 7, 1)])
def test_the_interval_is_walds_with_half_a_video_more_in_each_cell(table):
    found, (low, high) = paired_difference(*of_table(*table))
    _, lost, gained, _ = table
    assert found == pytest.approx(100 * (gained - lost) / sum(table))
    n, b, c = sum(table) + 2, lost + 0.5, gained + 0.5
    centre, half = (c - b) / n, 1.96 * math.sqrt((b + c) - (c - b) ** 2 / n) / n
    assert low == pytest.approx(100 * max(centre - half, -1))
    assert high == pytest.approx(100 * min(centre + half, 1))
    assert low <= found <= high and low < high


def test_the_interval_covers_and_is_narrower_than_that_of_independent_videos():
    # of 1000 tables, 95 % covered is 950; a binomial stays above 930 with p > .998
    rng, covered, n = np.random.default_rng(0), 0, 60
    for _ in range(1000):
        cells = rng.choice(4, n, p=[0.55, 0.2, 0.05, 0.2])
        before, after = torch.from_numpy(cells < 2).double(), torch.from_numpy(cells % 2 == 0)
        _, (low, high) = paired_difference(before, after.double())
        covered += low <= -15 <= high
    assert covered > 930
    before, after = of_table(55, 5, 0, 40)
    _, (low, high) = paired_difference(before, after)
    apart = [wilson(float(x.mean()), 100) for x in (before, after)]
    assert high - low < 0.6 * max(b - a for a, b in apart)


def test_parts_of_recordings_are_as_uncertain_as_their_bootstrap():
    rng = np.random.default_rng(1)
    whole = rng.choice([-1.0, 0.0, 1.0], 60, p=[0.3, 0.6, 0.1])
    numbers = torch.arange(60).repeat_interleave(5)
    change = torch.from_numpy(whole).repeat_interleave(5)
    before = (change < 0).double()
    _, (low, high) = paired_difference(before, before + change, numbers)
    _, alone = paired_difference(before[::5], (before + change)[::5])
    assert (low, high) == pytest.approx(alone, abs=1)  # S - 1 in place of S
    _, (a, b) = paired_difference(before, before + change)
    assert b - a < 0.6 * (high - low)
    sums = scipy.stats.bootstrap((whole,), np.mean, rng=rng, method="percentile")
    ends = 100 * sums.confidence_interval.low, 100 * sums.confidence_interval.high
    assert (low, high) == pytest.approx(ends, abs=2)  # two added videos of 62, and the draws


def test_the_extremes_of_recordings():
    hits = torch.tensor([1.0, 1.0, 0.0, 1.0])
    one = paired_difference(hits, 0 * hits, torch.zeros(4, dtype=torch.long))
    assert one[0] == -75 and one[1][1] - one[1][0] > 100
    same = torch.arange(8) // 4
    assert paired_difference(torch.ones(8), torch.ones(8), same) == (
        0.0, pytest.approx(paired_difference(torch.ones(2), torch.ones(2))[1])
    )  # fmt: skip
    difference, ends = paired_difference(hits[:0], hits[:0])
    assert all(map(math.isnan, (difference, *ends)))


def test_the_bootstrap_of_a_mean_is_scipys_within_its_draws():
    rng = np.random.default_rng(2)
    values = rng.exponential(2.0, 150)
    theirs = scipy.stats.bootstrap((values,), np.mean, rng=rng, method="percentile")
    ends = theirs.confidence_interval.low, theirs.confidence_interval.high
    ours = mean_interval(torch.from_numpy(values), 0, resamples=9000)
    assert ours == pytest.approx(ends, abs=0.03)  # the error of a quantile of 9000 means


def test_the_interval_of_a_mean_has_the_width_of_its_standard_error():
    values = torch.rand(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    low, high = mean_interval(100 * values, 0)
    mean, error = 100 * float(values.mean()), 100 * float(values.std()) / 20
    assert low == pytest.approx(mean - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.3 * error)
    assert all(map(math.isnan, mean_interval(values[:1], 0)))
    assert mean_interval(torch.full((5,), 100.0), 0) == [100, 100]


def test_the_bootstrap_draws_recordings_whole():
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(40, generator=generator, dtype=torch.float64)
    numbers = torch.arange(40).repeat_interleave(6)
    parts = values.repeat_interleave(6)
    assert mean_interval(parts, 5, numbers) == pytest.approx(mean_interval(values, 5))
    assert mean_interval(values, 5) == mean_interval(values, 5, torch.arange(40) * 3)
    assert mean_interval(values, 6) != mean_interval(values, 5)
    # a large recording counts by its videos
    uneven = torch.tensor([0.0] * 90 + [1.0] * 10)
    low, high = mean_interval(uneven, 0, torch.tensor([0] * 90 + [1] * 10))
    assert (low, high) == (0.0, 1.0)
    assert all(map(math.isnan, mean_interval(uneven, 0, torch.zeros(100, dtype=torch.long))))


def test_draws_in_shares_are_those_of_one_draw(monkeypatch):
    values = torch.arange(50.0)
    whole = mean_interval(values, 1)
    picks = torch.randint(50, (1000, 50), generator=torch.Generator().manual_seed(1))
    ends = torch.quantile(values.double()[picks].mean(1), torch.tensor([0.025, 0.975]).double())
    assert whole == pytest.approx(ends.tolist())


def test_divergence_is_scipys_entropy():
    generator = torch.Generator().manual_seed(0)
    p, q = torch.randn(2, 6, 9, generator=generator, dtype=torch.float64).softmax(-1)
    wanted = [scipy.stats.entropy(a, b) for a, b in zip(p.numpy(), q.numpy(), strict=True)]
    assert kullback_leibler(p, q).tolist() == pytest.approx(wanted)
    assert kullback_leibler(p, p).tolist() == [0] * 6


def test_a_probability_of_nothing_leaves_the_divergence_finite():
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert kullback_leibler(p, q).item() == pytest.approx(126 * math.log(2))
    assert kullback_leibler(q.float(), q.double()).item() == 0
    assert math.isnan(kullback_leibler(torch.tensor([math.nan, 1.0]), q))
