"""Selections of frames: few of them, single ones, windows; from (seed, video) alone."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias.datasets.pairs.frame_order import (
    few_frames,
    frozen,
    shuffled,
    single_frame,
    spread_frames,
    window_shuffled,
)

LENGTHS = (2, 3, 5, 8, 16, 30, 32)


@pytest.mark.parametrize("frames", LENGTHS)
def test_few_frames_are_evenly_spread_and_held_in_their_order(frames):
    for count in range(1, frames + 1):
        (order,) = few_frames(frames, count, 1)
        shown, held = order.unique_consecutive(return_counts=True)
        assert len(shown) == count and torch.equal(shown, shown.unique())
        assert held.max() - held.min() <= 1  # each as long as the others, but for a rest
        gaps = shown.diff()
        assert count == 1 or gaps.max() - gaps.min() <= 1
        assert all(shown[i] in range(*_part(frames, count, i)) for i in range(count))


def _part(frames, count, number):
    """First frame of one of `count` even parts, and the first of the next."""
    ends = [k for k in range(frames) if k * count // frames == number]
    return ends[0], ends[-1] + 1


@pytest.mark.parametrize("frames", LENGTHS)
def test_one_frame_is_the_frozen_clip_and_all_are_the_clip(frames):
    assert torch.equal(few_frames(frames, 1, 3), frozen(frames, 3))
    assert few_frames(frames, frames, 2).tolist() == [list(range(frames))] * 2
    assert torch.equal(single_frame(frames, frames // 2, 3), frozen(frames, 3))


def test_no_more_frames_than_there_are():
    for count in (0, 9):
        with pytest.raises(ValueError, match=f"1 to 8 frames of a clip, but got {count}"):
            few_frames(8, count, 1)


@pytest.mark.parametrize("frames", LENGTHS)
def test_spread_frames_differ_and_have_the_middle_one_among_them(frames):
    for count in range(1, frames + 1):
        chosen = spread_frames(frames, count)
        assert len(set(chosen)) == count and frames // 2 in chosen
        around = [*chosen, chosen[0] + frames]
        gaps = [b - a for a, b in zip(around, around[1:], strict=False)]
        assert max(gaps) - min(gaps) <= 1
    assert spread_frames(frames, 0) == spread_frames(frames, frames + 9) == list(range(frames))


@pytest.mark.parametrize(("frames", "window"), [(8, 2), (8, 4), (7, 3), (2, 2), (5, 8)])
def test_no_frame_leaves_its_window_and_no_clip_stays_as_it_was(frames, window):
    orders = window_shuffled(frames, window, 0, range(200))
    assert torch.equal(orders.sort(1).values, torch.arange(frames).expand(200, -1))
    assert torch.equal(orders // window, (torch.arange(frames) // window).expand(200, -1))
    assert not (orders == torch.arange(frames)).all(1).any()
    whole = min(window, frames)
    seen = {tuple(order[:whole].tolist()) for order in orders}
    assert len(seen) >= (2 if window > 2 else 1)
    if frames == 8:  # a window alone may keep its order: every order of it comes
        assert len(seen) == {2: 2, 4: 24}[window]


def test_windows_follow_from_seed_and_video_alone():
    orders = window_shuffled(8, 4, 3, [5, 6, 7])
    assert torch.equal(window_shuffled(8, 4, 3, [6]), orders[1:2])
    assert not torch.equal(window_shuffled(8, 4, 4, [5, 6, 7]), orders)
    assert not torch.equal(window_shuffled(8, 8, 3, [5, 6, 7]), shuffled(8, 3, [5, 6, 7]))


@pytest.mark.parametrize(("frames", "window"), [(1, 2), (8, 1)])
def test_one_frame_has_no_order(frames, window):
    with pytest.raises(ValueError, match="at least 2 frames"):
        window_shuffled(frames, window, 0, [0])
