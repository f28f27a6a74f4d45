"""New backgrounds: the object and its way stay, and nothing tells what was behind it before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from slowfast_bias.datasets.toy.world import ToyWorld

COUNT = 2048


def factors_of(world):
    return [world.factors(index) for index in range(len(world))]


@pytest.fixture(scope="module")
def pairs():
    """(as it was filmed, before another background) of many clips."""
    filmed, changed = (ToyWorld(num_clips=COUNT, new_background=new) for new in (False, True))
    return list(zip(factors_of(filmed), factors_of(changed), strict=True))


def test_all_but_background_and_colour_stay(pairs):
    for filmed, changed in pairs[:64]:
        names = ("texture", "hue", "brightness", "shift", "pitch", "colour")
        back = {name: getattr(filmed, name) for name in names}
        assert replace(changed, **back) == filmed
        assert changed.shift != filmed.shift and changed.pitch != filmed.pitch


def test_the_new_texture_is_independent_of_the_old_one_and_of_the_motion(pairs):
    for name in ("texture", "motion"):
        table = Counter((getattr(filmed, name), changed.texture) for filmed, changed in pairs)
        expected = COUNT / 16
        assert len(table) == 16
        assert max(abs(count - expected) for count in table.values()) < 4.5 * expected**0.5


def test_the_object_stands_out_as_in_every_clip_and_its_colour_tells_nothing_of_before(pairs):
    def side(hue, colour):
        return np.cos(2 * np.pi * (hue - np.arange(3) / 3)) @ (np.array(colour) - 0.5)

    assert all(side(changed.hue, changed.colour) <= 1e-12 for _, changed in pairs)
    near = np.mean([side(filmed.hue, changed.colour) > 0 for filmed, changed in pairs])
    assert abs(near - 0.5) < 5 * 0.5 / COUNT**0.5
    for filmed, changed in pairs[:64]:  # mirrored in grey, or as it was
        a, b = np.array(filmed.colour) - 0.5, np.array(changed.colour) - 0.5
        assert np.allclose(a, b) or np.allclose(a, -b)


@pytest.mark.parametrize("labels", ["static", "dynamic", "both"])
def test_labels_are_those_that_were_filmed(labels):
    plain = ToyWorld(labels=labels, num_clips=64)
    changed = ToyWorld(labels=labels, num_clips=64, new_background=True)
    assert [plain.label(i) for i in range(64)] == [changed.label(i) for i in range(64)]
    moved = [changed.factors(i).texture != plain.factors(i).texture for i in range(64)]
    assert 32 < sum(moved) < 64  # three quarters of them
