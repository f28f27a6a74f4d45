"""Film strips: their frames are those of the clip, in order, as nearly as WebP keeps pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.drawing.film_strip import LARGEST, LONGEST, make_strip, read_strip


def clip(frames, height, width):
    """Smooth colours that differ from frame to frame: (3, T, H, W) in [0, 1]."""
    t, y, x = torch.meshgrid(
        torch.linspace(0, 1, frames), torch.linspace(0, 1, height), torch.linspace(0, 1, width),
        indexing="ij",
    )  # fmt: skip
    return torch.stack([t, (x + y) / 2, 1 - 0.5 * t * y])


@pytest.mark.parametrize(
    ("frames", "height", "width", "picked"),
    [
        (8, 32, 48, range(8)),
        (1, 20, 20, [0]),
        (3, 112, 64, range(3)),
        (32, 30, 30, range(2, 32, 4)),
    ],
)
def test_the_frames_are_those_of_the_clip(tmp_path, frames, height, width, picked):
    x = clip(frames, height, width)
    strip = make_strip(x)
    assert strip.frames == len(picked) and strip.size == (height, width)
    path = tmp_path / "a.webp"
    path.write_bytes(strip.webp)
    found = np.stack(read_strip(str(path), strip.frames)).astype(float)
    pixels = 255 * x.permute(1, 2, 3, 0).numpy()
    wanted = pixels[list(picked)]
    assert found.shape == wanted.shape
    # colours are kept at half the resolution and quality 60: a few levels of 255 in smooth clips
    assert np.abs(found - wanted).mean() < 6
    for frame, number in zip(found, picked, strict=True):  # and none is nearer to another frame
        assert np.abs(pixels - frame).mean((1, 2, 3)).argmin() == number


def test_large_frames_are_made_smaller_in_their_shape(tmp_path):
    strip = make_strip(clip(4, 120, 224))
    assert strip.size == (60, LONGEST)
    path = tmp_path / "a.webp"
    path.write_bytes(strip.webp)
    wanted = 255 * clip(4, 60, LONGEST).permute(1, 2, 3, 0).numpy()
    assert np.abs(np.stack(read_strip(str(path), 4)) - wanted).mean() < 6


def test_what_is_no_strip_of_so_many_frames_is_an_error(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(make_strip(clip(4, 10, 10)).webp)
    with pytest.raises(ResultError, match="3 frames side by side .* 40 pixels"):
        read_strip(str(path), 3)
    path.write_bytes(b"RIFF no picture")
    with pytest.raises(ResultError, match="Expected a film strip"):
        read_strip(str(path), 4)
    with pytest.raises(ResultError, match="Expected a film strip"):
        read_strip(str(tmp_path / "none.webp"), 4)


def test_a_noisy_clip_is_kept_small(tmp_path):
    noise = torch.rand(3, 8, 112, 112, generator=torch.Generator().manual_seed(0))
    assert len(make_strip(clip(8, 112, 112)).webp) < LARGEST
    mild = 0.5 + 0.2 * (noise - 0.5)
    assert 0.3 * LARGEST < len(make_strip(mild).webp) <= LARGEST
