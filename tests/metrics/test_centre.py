"""Centre bias against maps whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from slowfast_bias.metrics import central_share, centroid, fixed_mask, region_similarity


def test_an_even_map_has_a_quarter_in_the_middle_whatever_its_size():
    for shape in ((4, 4), (5, 7), (48, 854)):
        even = np.ones(shape)
        assert central_share(even) == pytest.approx(0.25)
        assert centroid(even) == pytest.approx((0.5, 0.5))


def test_one_pixel_is_where_it_is():
    heat = np.zeros((8, 10))
    heat[1, 8] = 3
    assert centroid(heat) == pytest.approx((0.85, 1.5 / 8)) and central_share(heat) == 0
    heat[1, 8], heat[4, 5] = 0, 2
    assert central_share(heat) == pytest.approx(1)
    assert math.isnan(central_share(np.zeros((4, 4)))) and math.isnan(centroid(np.zeros((4, 4)))[0])


def test_the_best_fixed_mask_is_no_worse_than_any_level_of_the_mean_mask():
    masks = np.random.default_rng(0).random((30, 12, 16)) < np.linspace(0, 1, 16)
    score, threshold = fixed_mask(masks)
    heat = masks.mean(0)
    reached = region_similarity(masks, np.repeat((heat > threshold)[None], 30, 0)).mean()
    assert score == pytest.approx(float(reached))
    for level in np.arange(1, 20) / 20 * heat.max():
        other = region_similarity(masks, np.repeat((heat > level)[None], 30, 0)).mean()
        assert score >= float(other) - 1e-12
    same = np.repeat(masks[:1], 5, 0)
    assert fixed_mask(same)[0] == 1
