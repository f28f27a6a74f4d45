"""Scaling, cropping and mirroring, against SlowFast's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from slowfast_bias import host
from slowfast_bias.datasets.sampling import crops
from slowfast_bias.datasets.sampling.crops import (
    Crop,
    Region,
    normalised_planes,
    random_crop,
    random_region,
)


def picture(height, width):
    """A smooth picture, two frames: interpolation and rounding cannot differ by much."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    planes = torch.stack([255 * x / width, 255 * y / height, 127 + 0 * x], -1)
    return torch.stack([planes, 255 - planes]).round().to(torch.uint8)


@pytest.mark.host
@pytest.mark.parametrize("size", [(48, 64), (64, 48), (40, 40), (24, 31)])
@pytest.mark.parametrize("spot", [0, 1, 2])
def test_uniform_crops_are_the_hosts(size, spot):
    assert host.name  # loads it
    from slowfast.datasets import transform

    frames = picture(*size)
    planes = frames.permute(0, 3, 1, 2).float()
    scaled = transform.random_short_side_scale_jitter(planes, 40, 40)[0]
    wanted = transform.uniform_crop(scaled, 32, spot)[0].permute(0, 2, 3, 1)
    got = Crop(40, 32, spot / 2).of(frames)
    assert got.shape == (2, 32, 32, 3) and got.dtype == torch.uint8
    assert (got.float() - wanted).abs().max() <= 1  # uint8 rounds


def test_mirroring_exchanges_left_and_right():
    frames = picture(48, 64)
    assert torch.equal(Crop(40, 32, mirrored=True).of(frames), Crop(40, 32).of(frames).flip(2))
    region = {"size": 32, "area": 0.5, "ratio": 1.2, "across": 0.2, "down": 0.9}
    mirrored = Region(**region, mirrored=True).of(frames)
    assert torch.equal(mirrored, Region(**region).of(frames).flip(2))


def test_a_crop_of_the_whole_is_the_whole():
    frames = picture(40, 40)
    assert torch.equal(Crop(40, 40).of(frames), frames)


@pytest.mark.parametrize("across", [0.0, 0.5, 1.0])
def test_very_long_frames_are_not_blown_up(across):
    frames = torch.zeros(2, 16, 10000, 3, dtype=torch.uint8)
    frames[..., 0] = torch.linspace(0, 255, 10000).to(torch.uint8)
    view = Crop(256, 224, across).of(frames)
    assert view.shape == (2, 224, 224, 3)
    assert abs(float(view[..., 0].float().mean()) - 255 * across) < 3
    tall = Crop(256, 224, across).of(frames.transpose(1, 2))
    assert torch.equal(tall.transpose(1, 2), view)


def test_random_crops_follow_from_torchs_generator_and_fill_their_ranges():
    torch.manual_seed(0)
    first = [random_crop([40, 50], 32, True) for _ in range(300)]
    torch.manual_seed(0)
    assert first == [random_crop([40, 50], 32, True) for _ in range(300)]
    assert {crop.scale for crop in first} == set(range(40, 51))
    assert 0.4 < np.mean([crop.mirrored for crop in first]) < 0.6
    for name in ("across", "down"):
        values = [getattr(crop, name) for crop in first]
        assert 0 <= min(values) < 0.05 and 0.95 < max(values) <= 1
    assert not any(random_crop([40, 50], 32, False).mirrored for _ in range(50))


def test_inverse_sampling_prefers_small_scales():
    torch.manual_seed(0)
    plain = np.mean([random_crop([100, 400], 32, False).scale for _ in range(500)])
    inverse = np.mean([random_crop([100, 400], 32, False, inverse=True).scale for _ in range(500)])
    assert abs(plain - 250) < 15
    assert abs(inverse - np.log(4) / (1 / 100 - 1 / 400)) < 15


def test_regions_have_the_area_and_shape_they_were_drawn_with():
    torch.manual_seed(0)
    drawn = [random_region([0.1, 1.0], [0.75, 1.333], 32, True) for _ in range(200)]
    assert all(0.1 <= r.area <= 1 and 0.75 <= r.ratio <= 1.334 for r in drawn)
    assert {region.of(picture(48, 64)).shape for region in drawn} == {(2, 32, 32, 3)}


def test_planes_are_normalised_by_channel_alone_and_in_batches():
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (2, 4, 6, 5, 3), dtype=torch.uint8)
    mean, std = [0.45, 0.4, 0.3], [0.225, 0.2, 0.3]
    wanted = (frames.double() / 255 - torch.tensor(mean)) / torch.tensor(std)
    got = normalised_planes(frames, mean, std)
    assert got.dtype == torch.float32 and got.is_contiguous()
    assert torch.allclose(got.double(), wanted.permute(0, 4, 1, 2, 3), rtol=0, atol=1e-6)
    for clip, planes in zip(frames, got, strict=True):
        assert torch.equal(normalised_planes(clip, mean, std), planes)
        for fill in (crops.fill_by_arithmetic, crops.fill_by_table):  # a GPU's way and a CPU's
            out = torch.zeros_like(planes)
            fill(clip, out, mean, std)
            assert torch.equal(out, planes)
    crop = frames[:, :, 1:5, 1:4]
    assert torch.equal(normalised_planes(crop, mean, std), got[..., 1:5, 1:4])
