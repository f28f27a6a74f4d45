"""One random frame of each video: decided by seed and video alone, any of them equally likely."""

from __future__ import annotations

import torch

from slowfast_bias.datasets.pairs.frame_order import random_frame


def test_a_frame_is_drawn_for_each_video_whatever_its_company():
    orders = random_frame(8, 3, [5, 0, 9])
    assert orders.shape == (3, 8) and (orders == orders[:, :1]).all()
    assert torch.equal(random_frame(8, 3, [9]), orders[2:])
    assert torch.equal(random_frame(8, 3, [5, 5]), orders[:1].expand(2, -1))


def test_all_frames_are_equally_likely_and_seeds_differ():
    drawn = random_frame(8, 0, range(1600))[:, 0]
    counts = torch.bincount(drawn, minlength=8)
    assert (counts - 200).abs().max() < 5 * 200**0.5
    other = random_frame(8, 1, range(1600))[:, 0]
    assert abs(float((drawn == other).double().mean()) - 1 / 8) < 5 * (7 / 64 / 1600) ** 0.5
