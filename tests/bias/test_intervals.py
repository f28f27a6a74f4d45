"""Intervals over recordings: they cover where videos are parts, and are as ever where not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from slowfast_bias.bias.intervals import effective_n, relative_drop, wilson


def clustered(seed, recordings=40, parts=6, alike=0.8, p=0.6):
    """Hits of parts, each with probability `alike` that of its recording; and the recordings."""
    rng = np.random.default_rng(seed)
    own, whole = rng.random((recordings, parts)) < p, rng.random((recordings, 1)) < p
    hits = np.where(rng.random((recordings, parts)) < alike, whole, own)
    numbers = torch.arange(recordings).repeat_interleave(parts)
    return torch.from_numpy(hits.ravel()).double(), numbers


def test_effective_n_is_the_ratio_of_variances_of_its_definition():
    for seed in range(5):
        hits, recordings = clustered(seed, recordings=7, parts=5)
        x, s, p = hits.numpy(), recordings.numpy(), hits.numpy().mean()
        sums = [(x[s == k] - p).sum() for k in range(7)]
        variance = 7 / 6 * np.square(sums).sum() / 35**2
        want = min(p * (1 - p) / variance, 35)
        assert effective_n(hits, recordings) == pytest.approx(want)
        order = torch.randperm(35, generator=torch.Generator().manual_seed(seed))
        again = effective_n(hits[order], 100 - 3 * recordings[order])  # any numbers, any order
        assert again == pytest.approx(want)


def test_intervals_of_parts_cover_where_those_of_videos_do_not():
    # 95 % of 500 is 475; a binomial stays above 454 with p > 0.97, and 40 clusters take a little
    def misses(count):
        found = 0
        for seed in range(500):
            hits, recordings = clustered(seed)
            low, high = wilson(float(hits.mean()), count(hits, recordings))
            found += not low <= 60 <= high
        return found

    assert misses(effective_n) < 50
    assert misses(lambda hits, _: len(hits)) > 150


@pytest.mark.parametrize("recordings", [None, torch.arange(30) * 7 % 31])
def test_videos_of_their_own_count_whole_and_give_the_same_bits(recordings):
    generator = torch.Generator().manual_seed(0)
    before, after = (torch.rand(2, 30, generator=generator) < 0.5).double()
    n = effective_n(before, recordings)
    assert n == 30 and wilson(0.3, n) == wilson(0.3, 30)
    picks = torch.randint(30, (1000, 30), generator=torch.Generator().manual_seed(5))
    drops = 100 * (1 - after[picks].mean(1) / before[picks].mean(1))
    ends = torch.quantile(drops, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    assert relative_drop(before, after, 5, recordings)[1] == ends


def test_effective_n_is_between_the_recordings_and_the_videos_at_the_extremes():
    numbers = torch.arange(10).repeat_interleave(4)
    assert effective_n(torch.ones(40), numbers) == 10
    assert effective_n(torch.zeros(40), numbers) == 10
    alike = (torch.arange(10) % 2).repeat_interleave(4).double()
    assert effective_n(alike, numbers) == pytest.approx(9)  # S - 1, as the sample variance has it
    mixed = torch.tensor([0.0, 1.0] * 20)  # the same share in every recording
    assert effective_n(mixed, numbers) == 40


def test_one_recording_counts_once_and_has_no_bootstrap():
    hits, numbers = torch.tensor([1.0, 1.0, 0.0, 1.0]), torch.zeros(4, dtype=torch.long)
    assert effective_n(hits, numbers) == 1
    low, high = wilson(0.75, effective_n(hits, numbers))
    assert high - low > 70
    drop, interval = relative_drop(hits, hits / 2, 0, numbers)
    assert drop == pytest.approx(50) and all(math.isnan(end) for end in interval)


def test_the_bootstrap_of_recordings_does_not_shrink_with_their_parts():
    generator = torch.Generator().manual_seed(1)
    before, after = (torch.rand(2, 50, generator=generator) < 0.6).double()
    numbers = torch.arange(50).repeat_interleave(5)
    drop, interval = relative_drop(before, after, 3)
    parts = [x.repeat_interleave(5) for x in (before, after)]
    found, over_recordings = relative_drop(*parts, 3, numbers)
    assert found == pytest.approx(drop) and over_recordings == pytest.approx(interval)
    _, (low, high) = relative_drop(*parts, 3)
    assert high - low < 0.6 * (interval[1] - interval[0])


def test_recordings_of_other_videos_are_refused():
    with pytest.raises(ValueError, match="each of 4 videos, but got 3"):
        effective_n(torch.ones(4), torch.arange(3))
