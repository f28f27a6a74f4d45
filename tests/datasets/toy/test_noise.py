"""Noise-coded motion: frames without their order are the same in every class, exactly."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from slowfast_bias.datasets.toy.motions import MOTIONS, PHASES
from slowfast_bias.datasets.toy.noise import paint_noise
from slowfast_bias.datasets.toy.world import ToyWorld, unordered_frames_tell

NOISE = "noise2"


def as_bytes(frames):
    return [frame.numpy().tobytes() for frame in frames]


def test_any_frame_of_one_class_is_as_likely_in_the_other():
    """Over the 8 equally likely starts, every frame shows the same pictures in both classes."""
    world = ToyWorld(motion=NOISE)
    factors = world.factors(3)
    for frame in range(8):
        seen = [
            Counter(
                as_bytes(world.render(replace(factors, motion=m, start=s)))[frame] for s in range(8)
            )
            for m in range(2)
        ]
        assert seen[0] == seen[1] and len(seen[0]) == 8


def test_no_frame_no_pair_and_no_whole_clip_tells_without_order():
    for pair in itertools.combinations(range(16), 2):
        assert not unordered_frames_tell(NOISE, pair)
    for frames in (range(1), range(8), range(0, 8, 2), range(16), range(1, 16, 4)):
        assert not unordered_frames_tell(NOISE, frames)
    assert unordered_frames_tell(NOISE, [0, 1, 3])  # their distances have an order of their own


def test_pairs_of_four_hops_would_tell_their_length():
    """So a network that pools pairs of frames, without temporal kernels, gets orbit4 half right."""
    assert unordered_frames_tell("orbit4", [0, 1])
    assert {abs(hop) for hop in MOTIONS[NOISE].hops} == {1}


def test_a_frame_is_pure_noise():
    """Cells are uniform and independent: of each other, and of the same cell in other clips."""
    world = ToyWorld(motion=NOISE, size=PHASES, num_clips=512)
    cells = world.clips(range(512))[:, 5].flatten(1).double().numpy()  # (512, 192)
    counts = np.bincount((cells.ravel() // 16).astype(int), minlength=16)
    expected = cells.size / 16
    assert ((counts - expected) ** 2 / expected).sum() < 50  # chi square, 15 degrees: p 1e-5
    off = np.corrcoef(cells.T)[np.triu_indices(192, 1)]
    assert abs(off).max() < 6 / 512**0.5 and off.std() < 1.1 / 512**0.5


def test_frames_are_the_same_field_shifted_round_by_a_column_of_cells():
    seen = paint_noise(7, PHASES)
    for phase in range(PHASES):
        assert (seen[phase] == np.roll(seen[0], phase, axis=1)).all()
    assert len({frame.tobytes() for frame in seen}) == PHASES


@pytest.mark.parametrize("times", [2, 4])
def test_size_changes_resolution_alone(times):
    small, large = paint_noise(7, PHASES), paint_noise(7, PHASES * times)
    assert (large == small.repeat(times, 1).repeat(times, 2)).all()


def test_clips_have_fields_of_their_own():
    world = ToyWorld(motion=NOISE)
    fields = {world.clip(index).sort(2).values.numpy().tobytes() for index in range(16)}
    assert len(fields) == 16


@pytest.mark.parametrize(
    "changed", [{"labels": "static"}, {"labels": "both"}, {"labels": "correlated"},
                {"new_background": True}, {"cue_conflict": True}]
)  # fmt: skip
def test_what_its_clips_do_not_show_is_refused(changed):
    with pytest.raises(ValueError, match="whose clips show no texture"):
        ToyWorld(motion=NOISE, **changed)
