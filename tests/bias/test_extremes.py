"""Extremes: they are the ends of a sorted list, however its videos come."""

from __future__ import annotations

import functools

import pytest
import torch

from slowfast_bias.bias.extremes import Extremes

K, CHANNELS, VIDEOS = 3, 5, 23


def values(ties=False):
    x = torch.randn(VIDEOS, CHANNELS, generator=torch.Generator().manual_seed(0))
    return (2 * x).round() if ties else x


def split(x, order, sizes, k=K):
    """The extremes of each batch of the videos in an order."""
    for numbers in torch.tensor(order).split(sizes):
        yield Extremes.of(x[numbers], numbers, k)


def merged(parts, start=None):
    parts = list(parts)
    return functools.reduce(Extremes.merge, parts, start or Extremes.empty(parts[0].k, CHANNELS))


def ends(x, channel, k=K):
    """(most, least) by Python's own sort; equal values by the number of the video."""
    pairs = [(video, value) for video, value in enumerate(x[:, channel].tolist())]
    most = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]
    return most, sorted(pairs, key=lambda pair: (pair[1], pair[0]))[:k]


def found(extremes):
    return [(extremes.most(c), extremes.least(c)) for c in range(CHANNELS)]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("sizes", [1, 2, 7, VIDEOS])
def test_they_are_the_ends_of_the_sorted_list_for_any_batches_in_any_order(ties, sizes):
    x = values(ties)
    shuffled = torch.randperm(VIDEOS, generator=torch.Generator().manual_seed(1)).tolist()
    for order in (list(range(VIDEOS)), shuffled):
        assert found(merged(split(x, order, sizes))) == [ends(x, c) for c in range(CHANNELS)]


def test_shares_of_processes_merge_to_what_one_process_keeps():
    x = values(ties=True)
    one = merged(split(x, list(range(VIDEOS)), 4))
    shares = [merged(split(x, list(range(r, VIDEOS, 3)), 2)) for r in range(3)]
    for order in ([0, 1, 2], [2, 0, 1]):
        several = functools.reduce(Extremes.merge, [shares[r] for r in order])
        assert torch.equal(several.values, one.values) and torch.equal(several.videos, one.videos)


def test_few_videos_are_all_there_is():
    x = values()
    few = merged(split(x, [4, 9], 1))
    assert [ranked.video for ranked in few.most(0)] == [ranked.video for ranked in few.least(0)][
        ::-1
    ]
    assert len(few.most(0)) == 2


def test_merging_none_changes_nothing_and_no_set_is_changed():
    x = values()
    one = merged(split(x, list(range(VIDEOS)), 5))
    before = one.values.clone()
    again = one.merge(Extremes.empty(K, CHANNELS))
    assert torch.equal(again.values, before) and torch.equal(one.values, before)
    one.merge(Extremes.of(x * 9, torch.arange(100, 100 + VIDEOS), K))
    assert torch.equal(one.values, before)


def test_sets_of_other_shapes_do_not_merge():
    for other in (Extremes.empty(K, CHANNELS + 1), Extremes.empty(K + 1, CHANNELS)):
        with pytest.raises(ValueError, match="as many channels"):
            Extremes.empty(K, CHANNELS).merge(other)
