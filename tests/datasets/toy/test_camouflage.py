"""Laws of the toy world of segmentation: what a frame and what the flow say of the mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.toy.camouflage import CUES, Disc, SegmentWorld, inside, render


def worlds(cue, **changes):
    return SegmentWorld(cue, **changes)


@pytest.mark.parametrize("cue", CUES)
def test_flow_is_exact(cue):
    """Every pixel that stays in sight is the next frame's, where its flow says, and back."""
    world = worlds(cue)
    for index in range(6):
        now, later = world.image(index, 1), world.image(index, 2)
        flow = world.flow(index, 1).astype(int)
        back = world.flow(index, 2, backward=True).astype(int)
        y, x = np.indices((32, 32))
        to = (y + flow[..., 1]) % 32, (x + flow[..., 0]) % 32
        seen = (flow[..., 0] == -back[to][..., 0]) & (flow[..., 1] == -back[to][..., 1])
        assert seen.mean() > 0.7  # the rest is covered by the object
        assert (later[to][seen] == now[seen]).all()
        assert (world.mask(index, 2)[to][seen] == world.mask(index, 1)[seen]).all()


@pytest.mark.parametrize("cue", ["camouflage", "conflict"])
def test_a_frame_has_one_distribution_wherever_the_hidden_object_is(cue):
    """Exact: exchanging noise where two masks differ maps one scene's frames onto the other's.

    The exchange is a bijection of independent equal bytes, so that it changes no probability.
    """
    world = worlds(cue)
    for index in range(8):
        scene, noise = world.scene(index), world.noise(index)
        moved = replace(scene, moving=Disc(scene.moving.x, 31 - scene.moving.y, 3))
        one, two = (inside(s.moving, s.its_motion, 0, 32) for s in (scene, moved))
        exchanged = np.where((one != two)[None, ..., None], noise[::-1], noise)
        assert (one != two).any()
        assert (render(scene, noise) == render(moved, exchanged)).all()


def test_noise_is_every_level_as_often_and_of_each_pixel_for_itself():
    world = worlds("camouflage", num=64)
    noise = np.stack([world.noise(index) for index in range(64)])
    counts = np.bincount(noise.ravel(), minlength=128)
    assert len(counts) == 128
    expected = noise.size / 128
    assert ((counts - expected) ** 2 / expected).sum() < 127 + 5 * (2 * 127) ** 0.5
    centred = noise - noise.mean()
    for shift, axis in ((1, 2), (1, 3), (1, 4), (1, 1)):  # neighbours, channels, sheets
        other = np.roll(centred, shift, axis)
        assert abs((centred * other).mean() / centred.var()) < 5 / noise.size**0.5


def test_a_single_camouflage_frame_is_that_of_ground_and_nothing_else():
    """Inside and outside of the mask there are the same levels, over many scenes."""
    world = worlds("camouflage", num=400)
    difference = []
    for index in range(400):
        image, mask = world.image(index).astype(float), world.mask(index) == 1
        difference.append(image[mask].mean() - image[~mask].mean())
    difference = np.array(difference)
    assert abs(difference.mean()) < 4 * difference.std() / 20
    visible = worlds("appearance", num=100)
    for index in range(100):
        image, mask = visible.image(index).astype(float), visible.mask(index) == 1
        assert (np.abs(image[mask].mean(0) - image[~mask].mean(0)) > 35).all()  # of 70


def test_the_flow_of_appearance_is_one_motion_and_of_camouflage_two():
    for index in range(20):
        picture = coded(worlds("appearance").flow(index))
        assert (picture == picture[0, 0]).all()
        flow, mask = (getattr(worlds("camouflage"), n)(index) for n in ("flow", "mask"))
        difference = flow[mask == 1][0] - flow[mask == 0][0]
        assert (difference**2).sum() >= 4
        assert (flow[mask == 1] == flow[mask == 1][0]).all()
        assert (flow[mask == 0] == flow[mask == 0][0]).all()


def test_in_conflict_each_cue_shows_its_own_object():
    world = worlds("conflict")
    for index in range(20):
        scene, mask = world.scene(index), world.mask(index)
        assert {0, 1, 2} == set(np.unique(mask))
        elsewhere = replace(scene, painted=Disc(2, 2, 3), paint=(0, 0, 0))
        noise = world.noise(index)
        same = inside(elsewhere.painted, scene.motion, 0, 32) | (mask == 2)
        assert (render(scene, noise) == render(elsewhere, noise))[~same].all()
        flow = world.flow(index)
        assert ((flow == scene.its_motion).all(-1) == (mask == 1)).all()
        halves = [np.flatnonzero((mask == k).any(0)) // 16 for k in (1, 2)]
        assert len(set(halves[0])) == len(set(halves[1])) == 1 and halves[0][0] != halves[1][0]


@pytest.mark.parametrize("cue", CUES)
def test_objects_are_whole_and_small(cue):
    world = worlds(cue, num=200)
    for index in range(200):
        mask = world.mask(index)
        for label in set(np.unique(mask)) - {0}:
            assert 0.03 < (mask == label).mean() < 0.16
            edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
            assert (edge == label).sum() <= 4


def test_scenes_depend_on_nothing_else():
    world = worlds("camouflage", num=8)
    assert world.scene(5) == worlds("camouflage", num=5000).scene(5)
    assert (world.image(5) == worlds("camouflage", num=5000).image(5)).all()
    others = [worlds("camouflage", split="val"), worlds("camouflage", seed=1), worlds("conflict")]
    assert all((other.noise(5) != world.noise(5)).mean() > 0.9 for other in others)


def test_scenes_are_the_published_ones():
    # raw Philox bits are fixed for good, so these hold on every platform and numpy version
    scene = worlds("conflict", seed=3).scene(2)
    assert (scene.ground, scene.paint) == ((91, 77, 81), (21, 7, 11))
    assert (scene.moving, scene.its_motion) == (Disc(5, 17, 5), (-2, 1))
    assert (scene.painted, scene.motion) == (Disc(23, 13, 6), (2, 1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"cue": "both"}, "`cue` to be one of camouflage"),
        ({"split": "dev"}, "`split` to be one of train"),
        ({"size": 8}, "`size` from 24"),
        ({"num": 0}, "`num` from 1"),
        ({"seed": -1}, "`seed` from 0"),
    ],
)
def test_impossible_worlds_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        SegmentWorld(**arguments)
    with pytest.raises(IndexError, match="0 to 255"):
        SegmentWorld().scene(256)
