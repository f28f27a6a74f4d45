"""The numbers of made clips, against values written by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.errors import RequestError
from slowfast_bias.optvis import log_odds, numbers, speeds_named
from slowfast_bias.optvis.flow_numbers import magnitude_and_spread, moved
from slowfast_bias.optvis.paths import path_similarity
from slowfast_bias.optvis.scenes import motion, reversed_in_time, roughness
from slowfast_bias.optvis.wheel import coloured


def test_motion_need_is_what_a_frozen_image_loses():
    assert numbers.motion_needs([5, 3], [1, 3], 1) == [1, 0]
    assert math.isnan(numbers.motion_needs([1], [1], 1)[0])
    assert numbers.mean_of([1, math.nan]) is None
    # mean 2, standard error 1, t of two degrees of freedom
    assert numbers.interval_of([2 - 3**0.5, 2, 2 + 3**0.5]) == pytest.approx([-2.303, 6.303])
    assert numbers.interval_of([1]) is None


def test_the_preferred_speed_is_the_slowest_that_is_as_good():
    reached = {"unconstrained": [10.0], "fast": [9.9], "medium": [9.6], "slow": [4.0]}
    assert numbers.preferred_speed(reached, 0) == "medium"
    assert numbers.preferred_speed(reached, 5) == "fast"  # 5 % of what is above natural clips
    assert numbers.preferred_speed({**reached, "frozen": [9.8]}, 0) == "frozen"
    assert numbers.preferred_speed({"fast": [1.0]}, 0) is None
    assert [speed.name for speed in speeds_named(["frozen", "fast"])] == ["fast", "frozen"]
    with pytest.raises(RequestError, match="all, but got 'quick'"):
        speeds_named(["fast", "quick"])


def test_log_odds_are_a_logit_minus_the_log_sum_exp_of_the_others():
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)) * 5
    wanted = [
        logits[:, k] - torch.cat([logits[:, :k], logits[:, k + 1 :]], 1).logsumexp(1)
        for k in range(4)
    ]
    found = log_odds(logits.softmax(1))
    torch.testing.assert_close(found, torch.stack(wanted, 1), atol=1e-3, rtol=1e-4)
    sure = log_odds(torch.tensor([[40.0, 0.0]]).softmax(1))  # 1 - p is 0 in 32 bits
    assert sure[0, 0].item() == pytest.approx(40)


def test_flow_has_the_colours_of_the_wheel_and_a_gradient_at_rest():
    field = torch.rand(1, 2, 3, 5, 7, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.7
    field[..., 0] = 0
    field.requires_grad_()
    pictures = coloured(field)
    for time in range(3):
        wanted = coded(field.detach()[0, :, time].permute(1, 2, 0).numpy(), largest=1.0)
        found = pictures.detach()[0, :, time].permute(1, 2, 0).numpy()
        assert np.abs(found - (wanted + 0.5) / 255).max() < 1 / 255  # it is rounded down
    pictures.sum().backward()
    assert field.grad.isfinite().all() and field.grad[..., 1:].any()


def test_directions_spread_from_one_way_to_all_ways():
    one_way = np.stack([np.full((2, 3), 3.0), np.full((2, 3), 4.0)])
    assert magnitude_and_spread(one_way) == pytest.approx((5, 0))
    assert magnitude_and_spread(np.concatenate([one_way, -one_way], 1)) == pytest.approx((5, 1))
    length, spread = magnitude_and_spread(0 * one_way)
    assert length == 0 and math.isnan(spread)


def test_a_wandering_picture_moves_as_far_as_it_wanders():
    noise = torch.rand(3, 48, 48, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool2d(noise[None], 5, 1, 2)[0]
    clip = torch.stack([smooth.roll(2 * time, -1) for time in range(4)], 1)
    found = moved(clip)
    assert found.flow_magnitude == pytest.approx(2, abs=0.3) and found.direction_spread < 0.2
    still = moved(clip[:, :1].expand(-1, 4, -1, -1))
    assert still.frame_difference == 0 and still.flow_magnitude == pytest.approx(0, abs=1e-3)
    assert math.isnan(moved(clip[..., :8]).flow_magnitude)  # too small for DIS


def test_path_similarity_is_one_for_the_natural_clips_themselves():
    natural = {"a": torch.randn(6, 5, generator=torch.Generator().manual_seed(0))}
    top = [1, 4]
    mean = natural["a"][top].mean(0, keepdim=True)
    opposite = 2 * natural["a"].mean(0) - mean
    made = {"a": torch.cat([mean, opposite])}
    assert path_similarity(made, natural, top, ["a"]) == pytest.approx([1, -1])
    assert path_similarity(made, natural, top, []) is None


def test_what_costs_is_change_over_space_or_over_time():
    still = torch.rand(2, 3, 1, 6, 6).expand(2, 3, 4, 6, 6)
    wave = torch.linspace(0, 1, 4).view(1, 1, 4, 1, 1).expand(2, 3, 4, 6, 6)
    assert (motion([still]) == 0).all() and (roughness([still]) > 0).all()
    assert (motion([wave]) > 0).all() and (roughness([wave]) == 0).all()
    flow = torch.rand(2, 2, 4, 6, 6)
    assert (motion([still, flow]) > 0).all()
    clips, back = reversed_in_time([wave, flow])
    assert torch.equal(clips[:, :, 0], wave[:, :, -1]) and torch.equal(back, -flow.flip(2))
