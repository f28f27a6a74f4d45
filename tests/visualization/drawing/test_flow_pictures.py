"""Flow as pictures: hues by the standard library's own formula, and one scale for all."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from slowfast_bias.visualization.drawing.clip_pictures import busiest_row, enlarged, time_slice
from slowfast_bias.visualization.drawing.flow_pictures import (
    components,
    directions,
    largest_speed,
    wheel,
)


def field(x, y):
    return np.full((2, 2, 2), (x, y), np.float32)


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_the_hue_is_the_direction_and_the_strength_is_the_speed(degrees):
    angle = np.radians(degrees)
    full = directions(field(3 * np.cos(angle), 3 * np.sin(angle)), 3.0)[0, 0]
    assert colorsys.rgb_to_hsv(*full / 255)[0] * 360 % 360 == pytest.approx(degrees % 360, abs=2)
    half = directions(field(1.5 * np.cos(angle), 1.5 * np.sin(angle)), 3.0)[0, 0]
    assert np.allclose(255.0 - half, (255.0 - full) / 2, atol=1)
    assert np.allclose(directions(field(0, 0), 3.0), 255)
    x, y = (round(20 + 19 * f(angle)) for f in (np.cos, np.sin))
    assert np.abs(wheel(41)[y, x].astype(int) - full).max() < 25


def test_components_are_red_to_the_right_green_down_and_blue_the_speed():
    found = [components(field(*v), 2.0)[0, 0].tolist() for v in ((0, 0), (2, 0), (0, -2), (9, 0))]
    assert found == [[128, 128, 0], [255, 128, 255], [128, 0, 255], [255, 128, 255]]


def test_one_wild_pixel_does_not_set_the_scale_and_rest_has_one():
    flow = np.ones((50, 50, 2), np.float16)
    flow[0, 0] = 1000
    assert largest_speed(flow) == pytest.approx(2**0.5, rel=1e-3)
    assert largest_speed(np.zeros((4, 4, 2))) > 0


def test_a_slice_is_one_row_over_time_and_the_row_is_where_most_changes():
    clip = np.zeros((6, 40, 30, 3), np.uint8)
    for t in range(6):
        clip[t, 24, 3 * t] = 255
    row = busiest_row(clip)
    assert abs(row - 24) <= 2
    assert np.array_equal(time_slice(clip, 24).nonzero()[1][::3], 3 * np.arange(6))
    assert busiest_row(clip[:1].repeat(6, 0)) == 20


def test_small_clips_are_enlarged_by_whole_pixels_and_large_ones_keep_their_shape():
    clip = np.arange(2 * 30 * 20 * 3, dtype=np.uint8).reshape(2, 30, 20, 3)
    assert np.array_equal(enlarged(clip, 100)[:, ::3, ::3], clip)
    assert enlarged(clip, 15).shape == (2, 15, 10, 3)
