"""Laws of each family of styles: what it keeps, what it changes, and that no two are alike."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from slowfast_bias.datasets.styles.bank import FAMILIES, make_styles
from slowfast_bias.datasets.styles.looks.colour import random_orthogonal, style_distance

LUMA = torch.tensor([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    """Clips of independent pixels, (4, 3, 2, 24, 24)."""
    return torch.rand(4, 3, 2, 24, 24, generator=torch.Generator().manual_seed(0))


def nearest(matrices: torch.Tensor) -> float:
    return min(style_distance(a, b).item() for a, b in combinations(matrices, 2))


def luminance(clips: torch.Tensor) -> torch.Tensor:
    return (clips * LUMA.view(1, 3, 1, 1, 1)).sum(1)


# --- colour and randconv


@pytest.mark.parametrize("num", [2, 4, 8])
def test_matrices_are_orthogonal(num):
    matrices = make_styles("colour", num).look.matrices.double()
    products = matrices @ matrices.mT
    assert (products - torch.eye(3)).abs().max() < 1e-6  # they are kept in float32


def test_kernels_are_orthonormal_and_ignore_flat_areas():
    for kernel in make_styles("randconv").look.kernels:
        rows = kernel.double().flatten(1)
        assert (rows @ rows.T - torch.eye(3)).abs().max() < 1e-6
        assert kernel.sum((2, 3)).abs().max() < 1e-5


@pytest.mark.parametrize("seed", range(5))
def test_styles_lie_farther_apart_than_chance(seed):
    generator = torch.Generator().manual_seed(100 + seed)
    by_chance = [nearest(random_orthogonal(4, generator)) for _ in range(50)]
    chosen = nearest(make_styles("colour", seed=seed).look.matrices)
    assert chosen > 1.0 > max(by_chance)  # 1.1 to 1.3 seen, against .4 in the median


def test_colour_distances_are_kept():
    """An orthogonal matrix hides no object: all colours keep their distances, up to one gain."""
    bank, points = make_styles("colour"), torch.rand(1, 3, 1, 8, 8)
    before = torch.cdist(points.flatten(2).mT, points.flatten(2).mT)
    for style in range(bank.num):
        after = bank(points, style).flatten(2).mT
        gain = torch.cdist(after, after)[0, 0, 1:] / before[0, 0, 1:]
        assert gain.max() - gain.min() < 1e-4 and gain.min() > 0.57  # 1 / sqrt(3) at worst


@pytest.mark.parametrize("num", [2, 4, 16])
@pytest.mark.parametrize("seed", [0, 1])
def test_families_share_no_matrices_at_one_seed(num, seed):
    colour, randconv = (make_styles(f, num, seed).look.matrices for f in ("colour", "randconv"))
    # a matrix counts as shared whatever its place in the bank
    assert torch.cdist(colour.flatten(1), randconv.flatten(1)).min() > 0.05


def test_colour_stays_as_published():
    """Numbers in reports rest on the colours of seed 0."""
    first = make_styles("colour").look.matrices[0, 0]
    assert first.tolist() == pytest.approx([-0.002487677, -0.981320024, -0.192366242], abs=1e-6)


# --- grade


def expected_luminance(look, style: int, before: torch.Tensor) -> torch.Tensor:
    contrast, slope = look.contrasts[style], look.slopes[style]
    off = 2 * before - 1
    after = (1 + off * contrast / (1 + off.abs() * max(float(contrast) - 1, 0))) / 2
    return after * slope / (1 + after * (slope - 1))


@pytest.mark.parametrize("num", [2, 4, 7, 16])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_two_grades_are_alike_in_any_property(num, seed):
    look = make_styles("grade", num, seed).look
    for property_ in (look.contrasts, look.slopes):
        steps = property_.log().sort().values.diff()
        assert steps.min() > 0.5 / (num - 1)
        assert steps.max() - steps.min() < 1e-5
    assert torch.pdist(look.tints).min() > 0.19 / num
    assert torch.pdist(look.turns.flatten(1)).min() > 2 / num


def test_grade_leaves_luminance_to_its_curve_whatever_the_colour(noise):
    """Hue and tint change at equal luminance."""
    bank = make_styles("grade")
    for style in range(bank.num):
        expected = expected_luminance(bank.look, style, luminance(noise))
        assert (luminance(bank(noise, style)) - expected).abs().max() < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_grade_hides_nothing(seed):
    """Light stays lighter than dark, black and white are never taken for one another."""
    bank = make_styles("grade", 16, seed)
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 2, 8, 64)
    for style in range(bank.num):
        steps = luminance(bank(ramp, style)).diff(dim=-1)
        assert steps.min() > 0.3 / 63


def test_grade_keeps_apart_colours_of_one_luminance():
    """A hue turn of 60 degrees at most exchanges no opposite colours."""
    look = make_styles("grade", 16).look
    assert (look.turns.diagonal(dim1=1, dim2=2).sum(1) > 2 * 0.5 - 1e-4).all()


def test_grade_is_the_same_in_any_memory_layout(noise):
    bank = make_styles("grade")
    strided = noise.permute(0, 2, 3, 4, 1).contiguous().permute(0, 4, 1, 2, 3)
    for style in range(bank.num):
        assert torch.equal(bank(strided, style), bank(noise, style))


@pytest.mark.parametrize("size", [(8, 8), (8, 31), (33, 9)])
def test_every_family_takes_frames_of_any_size(size):
    clips = torch.rand(2, 3, 3, *size)
    for family in FAMILIES:
        out = make_styles(family, 16)(clips, [3, 15])
        assert out.shape == clips.shape and out.isfinite().all()
