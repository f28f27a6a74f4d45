"""Humans alone and in other scenes, against loops over pixels and scipy."""

from __future__ import annotations

import pytest
import scipy.ndimage
import torch

from slowfast_bias.datasets.benchmarks.pasting import centre, human_alone, human_share, pasted


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


def box(frames, height, width, top, left, size=4):
    masks = torch.zeros(frames, height, width, dtype=torch.uint8)
    masks[:, top : top + size, left : left + size] = 255
    return masks


def by_hand(frames, masks, scene, move):
    out = scene.clone()
    for t, y, x in (masks > 128).nonzero().tolist():
        down, right = y + move[0], x + move[1]
        if 0 <= down < scene.shape[1] and 0 <= right < scene.shape[2]:
            out[t, down, right] = frames[t, y, x]
    return out


def test_around_a_human_alone_is_the_mean_of_the_data():
    frames, masks = noise(2, 6, 8, 3), noise(2, 6, 8, seed=1)
    masks[0, 0, 0], masks[0, 0, 1] = 128, 129
    out = human_alone(frames, masks)
    assert out.dtype == torch.uint8
    assert torch.equal(out[masks > 128], frames[masks > 128])
    assert out[masks <= 128].unique(dim=0).tolist() == [[124, 116, 104]]
    assert human_share(masks) == pytest.approx(float((masks > 128).sum()) / masks.numel())


@pytest.mark.parametrize(
    ("there", "move"),
    [((3, 9), (0, 0)), ((7, 2), (4, -7)), ((0, 14), (-3, 5)), ((11, 0), (8, -9))],
)
def test_a_human_is_pasted_where_the_other_stood(there, move):
    frames, scene = noise(3, 16, 20, 3), noise(3, 16, 20, 3, seed=1)
    masks = box(3, 16, 20, 3, 9)
    masks[2] = box(1, 16, 20, 0, 12)[0]  # moves on: all frames are shifted as the first one
    out = pasted(frames, masks, scene, box(3, 16, 20, *there))
    assert torch.equal(out, by_hand(frames, masks, scene, move))


def test_what_leaves_the_picture_is_cut_off():
    frames, scene = noise(1, 16, 20, 3), noise(1, 16, 20, 3, seed=1)
    masks = torch.full((1, 16, 20), 255, dtype=torch.uint8)
    other = box(1, 16, 20, 0, 0)
    assert torch.equal(pasted(frames, masks, scene, other), by_hand(frames, masks, scene, (-6, -8)))


@pytest.mark.parametrize(("size", "wanted"), [((32, 40), (16, 20)), ((10, 8), (20, 16))])
def test_the_scene_gets_the_short_side_of_the_frames(size, wanted):
    frames, black = noise(2, 16, 24, 3), torch.zeros(2, 16, 24, dtype=torch.uint8)
    scene = torch.full((2, *size, 3), 77, dtype=torch.uint8)
    out = pasted(frames, black, scene, torch.zeros(2, *size, dtype=torch.uint8))
    assert out.shape == (2, *wanted, 3) and (out == 77).all()


def test_centres_are_those_of_scipy():
    mask = noise(9, 13)
    assert centre(mask) == pytest.approx(scipy.ndimage.center_of_mass(mask.numpy().astype(float)))
    assert centre(torch.zeros(9, 13, dtype=torch.uint8)) == (4.5, 6.5)  # no human: the middle
