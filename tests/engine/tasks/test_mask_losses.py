"""Losses of masks against sums written out pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from slowfast_bias.engine.tasks.mask_losses import (
    boundaries,
    pixel_loss,
    segmentation_loss,
    ssim,
    structure_loss,
)
from slowfast_bias.models.segmentation import Segmentation


def truth(seed=0, size=(2, 9, 11)):
    return (torch.rand(size, generator=torch.Generator().manual_seed(seed)) > 0.6).float()


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def entropy(logit, inside):
    p = 1 / (1 + math.exp(-logit))
    return -math.log(p if inside else 1 - p)


def test_pixels_are_weighted_and_averaged():
    logits, inside, weights = noise(2, 9, 11), truth(), 1 + truth(5)
    rows = zip(*(x.flatten().tolist() for x in (logits, inside, weights)), strict=True)
    mean = np.mean([w * entropy(x, t) for x, t, w in rows])
    assert float(pixel_loss(logits, inside, weights)) == pytest.approx(mean, rel=1e-5)


def test_a_boundary_has_the_other_value_within_two_pixels():
    inside = truth(size=(1, 9, 11))
    (found,) = boundaries(inside)
    for y in range(9):
        for x in range(11):
            near = {
                float(inside[0, v, u])
                for v in range(9)
                for u in range(11)
                if (v - y) ** 2 + (u - x) ** 2 <= 4
            }
            assert found[y, x] == (len(near) == 2), (y, x)


def test_ssim_is_one_of_a_map_with_itself_and_else_as_written_out():
    a, b = truth(1, (1, 11, 11)), torch.rand(1, 11, 11, generator=torch.Generator().manual_seed(2))
    assert float(ssim(a, a)) == pytest.approx(1, abs=1e-5)
    line = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2
    grid = ssim_map(*(np.asarray(x[0], dtype=float) for x in (a, b)), window)
    assert float(ssim(a, b)) == pytest.approx(grid.mean(), rel=1e-4)


def ssim_map(x, y, window):
    """Pixel by pixel, zeros beyond the edges."""
    px, py = (np.pad(m, 5) for m in (x, y))
    out = np.zeros_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            a, b = px[i : i + 11, j : j + 11], py[i : i + 11, j : j + 11]
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * a * a).sum() - ma**2, (window * b * b).sum() - mb**2
            cov = (window * a * b).sum() - ma * mb
            out[i, j] = (2 * ma * mb + 1e-4) * (2 * cov + 9e-4)
            out[i, j] /= (ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)
    return out


def test_structure_adds_what_ssim_and_the_soft_overlap_lack():
    logits, inside = noise(2, 9, 11), truth()
    p = logits.sigmoid()
    overlaps = [
        float((a * b).sum() / (a + b - a * b).sum()) for a, b in zip(p, inside, strict=True)
    ]
    expected = float(pixel_loss(logits, inside)) + 1 - float(ssim(p, inside)) + 1
    assert float(structure_loss(logits, inside)) == pytest.approx(
        expected - np.mean(overlaps), rel=1e-5
    )


@pytest.mark.parametrize("structure", [False, True])
@pytest.mark.parametrize("frames", [1, 2])
def test_frames_with_a_truth_are_compared_and_further_maps_count(structure, frames):
    """Of a clip of two frames the first alone, or both, each as one of its own."""
    inside = truth(size=(2, frames, 9, 11))
    mask, bounds, more = noise(2, 2, 9, 11), noise(2, 5, 2, 9, 11, seed=2), noise(2, 3, 2, 9, 11)
    found = segmentation_loss(Segmentation(mask, bounds, more), 2 * inside, structure)
    of_mask, each = structure_loss if structure else pixel_loss, []
    for t in range(frames):
        wanted = inside[:, t]
        loss = of_mask(mask[:, t], wanted)
        loss += sum(of_mask(more[:, k, t], wanted) for k in range(3))
        loss += 0.2 * sum(pixel_loss(bounds[:, k, t], boundaries(wanted)) for k in range(5))
        each.append(float(loss))
    assert float(found) == pytest.approx(np.mean(each), rel=1e-5)
