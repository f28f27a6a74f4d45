"""The colour wheel: against a slow reference, and that colours are read back as they were."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch

from slowfast_bias.datasets.flow.jitter import draw_jitter, jittered, with_hue, with_saturation
from slowfast_bias.datasets.flow.wheel import (
    coded,
    colour_wheel,
    decoded,
    mirrored,
    recoded,
    turn_matrix,
)

RNG = np.random.default_rng(0)
FIELD = RNG.normal(size=(20, 27, 2)) * RNG.uniform(0, 6, (20, 27, 1))


def slow_colour(u, v, largest):
    """One pixel, from the published table: 55 colours, linear between neighbours."""
    table = []
    for n, (start, end) in zip(
        (15, 6, 4, 11, 13, 6),
        [("r", "ry"), ("ry", "y"), ("y", "yc"), ("yc", "c"), ("c", "cm"), ("cm", "m")],
        strict=True,
    ):
        for k in range(n):
            step = math.floor(255 * k / n)
            table.append({
                ("r", "ry"): (255, step, 0), ("ry", "y"): (255 - step, 255, 0),
                ("y", "yc"): (0, 255, step), ("yc", "c"): (0, 255 - step, 255),
                ("c", "cm"): (step, 0, 255), ("cm", "m"): (255, 0, 255 - step),
            }[start, end])  # fmt: skip
    u, v = u / (largest + 1e-5), v / (largest + 1e-5)
    place = (math.atan2(-v, -u) / math.pi + 1) / 2 * 54
    first = math.floor(place)
    colour = []
    for one, two in zip(table[first], table[(first + 1) % 55], strict=True):
        value = (1 - place + first) * one / 255 + (place - first) * two / 255
        colour.append(math.floor(255 * (1 - math.hypot(u, v) * (1 - value))))
    return colour


def test_colours_are_those_of_the_published_table():
    largest = np.hypot(*FIELD.reshape(-1, 2).T).max()
    slow = np.array([[slow_colour(*pixel, largest) for pixel in row] for row in FIELD])
    off = np.abs(slow - coded(FIELD).astype(int))
    assert off.max() <= 1 and (off > 0).mean() < 0.01  # the floor of a sum in another order
    assert colour_wheel().shape == (55, 3)


def test_rest_is_white_and_a_frame_at_rest_too():
    assert (coded(np.zeros((4, 5, 2))) == 255).all()
    assert (decoded(np.full((4, 5, 3), 255, np.uint8)) == 0).all()
    half = np.concatenate([np.zeros((3, 2, 2)), np.ones((3, 2, 2))], 1)
    assert (coded(half)[:, :2] == 255).all() and (coded(half)[:, 2:] != 255).any(-1).all()


def test_a_motion_beyond_the_largest_is_darker():
    assert coded(np.array([[[4.0, 0.0]]]), largest=2.0).max() == 191  # .75 of 255


def test_decoding_gives_directions_and_relative_speeds():
    speeds = np.hypot(FIELD[..., 0], FIELD[..., 1])
    relative = FIELD / (speeds.max() + 1e-5)
    found = decoded(coded(FIELD))
    assert np.abs(found - relative).max() < 0.02  # 8 bits over spans of up to 15 colours
    twice = coded(found, largest=1.0)
    assert np.abs(decoded(twice) - found).max() < 0.02


def fields_apart(one, other):
    """The largest difference of two pictures as motions: colours jump between the wheel's ends."""
    return np.abs(decoded(one) - decoded(other)).max()


def test_a_mirrored_picture_is_the_wheel_of_the_mirrored_field():
    mirror_image = FIELD[:, ::-1] * np.array([-1, 1])
    assert fields_apart(mirrored(coded(FIELD)), coded(mirror_image)) < 0.04
    assert fields_apart(mirrored(mirrored(coded(FIELD))), coded(FIELD)) < 0.04
    matnet = mirrored(coded(FIELD), recode=False)
    assert (matnet == coded(FIELD)[:, ::-1]).all()
    assert fields_apart(matnet, coded(mirror_image)) > 0.5


def test_a_turned_field_has_turned_colours():
    right = np.tile([3.0, 0.0], (2, 2, 1))
    up = np.tile([0.0, -3.0], (2, 2, 1))
    assert fields_apart(recoded(coded(right), turn_matrix(90)), coded(up)) < 0.03


def test_hue_is_that_of_hsv_and_white_stays_white():
    frame = torch.rand(3, 8, 9, generator=torch.Generator().manual_seed(0))
    for turns in (-0.4, 0.2, 0.5):
        found = with_hue(frame, turns)
        for y, x in np.ndindex(8, 9):
            hue, saturation, value = colorsys.rgb_to_hsv(*frame[:, y, x].tolist())
            wanted = colorsys.hsv_to_rgb((hue + turns) % 1, saturation, value)
            assert found[:, y, x].tolist() == pytest.approx(wanted, abs=1e-5)
    grey = torch.full((3, 2, 2), 0.37)
    for same in (torch.ones(3, 2, 2), grey):
        assert torch.equal(with_hue(same, 0.3), same)
        assert torch.equal(with_saturation(same, 0.2), same)
    assert torch.equal(with_saturation(frame, 1.0), frame) or torch.allclose(
        with_saturation(frame, 1.0), frame, atol=1e-6
    )
    assert with_saturation(frame, 0.0).std(0).max() == 0


def test_jitter_follows_from_seed_frame_and_direction_alone():
    pictures = torch.rand(3, 3, 2, 6, 7, generator=torch.Generator().manual_seed(1))
    together = jittered(pictures, 4, [10, 11, 12])
    assert torch.equal(jittered(pictures[1:2], 4, [11])[0], together[1])
    draws = {
        draw_jitter(seed, video, time, direction)
        for seed in (0, 1)
        for video in (0, 1)
        for time in (0, 1)
        for direction in (0, 1)
    }
    assert len(draws) == 16
    assert together.min() >= 0 and together.max() <= 1 and not torch.equal(together, pictures)


def test_jitter_has_the_papers_ranges():
    draws = [draw_jitter(0, video, 0, 0) for video in range(2000)]
    shifts, factors, firsts = map(np.array, zip(*draws, strict=True))
    assert np.abs(shifts).max() <= 0.5 and factors.min() >= 0 and factors.max() <= 2
    # a uniform range and then a uniform value in it: the mean of |value| is half of the mean range
    assert np.abs(shifts).mean() == pytest.approx(0.15, abs=0.01)
    assert np.abs(factors - 1).mean() == pytest.approx(0.275, abs=0.02)
    assert firsts.mean() == pytest.approx(0.5, abs=0.05)
