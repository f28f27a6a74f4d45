"""Laws of styles: they change the look and nothing else, the same for all frames in any company."""

from __future__ import annotations

from itertools import combinations

import cv2
import pytest
import torch

from slowfast_bias.config.options import find_option
from slowfast_bias.datasets.styles.bank import (
    FAMILIES,
    make_styles,
    preview_strip,
    save_preview,
    style_report,
)
from slowfast_bias.datasets.toy.world import ToyWorld

# A convolution may round differently in batches of another size; all else is exact.
ROUNDING = {"colour": 0.0, "randconv": 1e-6, "grade": 0.0}


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    """Toy clips, (4, 3, 8, 32, 32) in [0, 1]."""
    return ToyWorld().clips(range(4)).permute(0, 4, 1, 2, 3).float() / 255


@pytest.fixture(params=FAMILIES)
def bank(request):
    return make_styles(request.param)


# --- what a bank is


def test_same_seed_same_bank(bank, clips):
    again = make_styles(bank.family, bank.num, bank.seed)
    assert torch.equal(again(clips, 1), bank(clips, 1))


def test_other_seed_other_bank(bank, clips):
    other = make_styles(bank.family, seed=1)
    assert (other(clips, 1) - bank(clips, 1)).abs().mean() > 0.02


def test_making_leaves_global_randomness_alone(bank):
    state = torch.get_rng_state()
    make_styles(bank.family)
    assert torch.equal(state, torch.get_rng_state())


def test_a_config_can_name_every_family():
    assert find_option("BIAS.STYLES.FAMILY").choices == FAMILIES


# --- what a style does


def test_styled_clips_stay_in_range_and_alike(bank):
    extremes = torch.rand(2, 3, 4, 16, 16).round()  # corners of the colour cube
    for style in range(bank.num):
        out = bank(extremes, style)
        assert out.shape == extremes.shape and out.dtype == torch.float32
        assert out.min() >= 0 and out.max() <= 1


def test_input_is_left_as_it_was(bank, clips):
    before = clips.clone()
    bank(clips, 0)
    assert torch.equal(before, clips)


def test_doubles_stay_doubles(bank, clips):
    out = bank(clips.double(), 2)
    assert out.dtype == torch.float64
    assert (out - bank(clips, 2)).abs().max() < 1e-5


def test_other_clips_in_the_batch_do_not_matter(bank, clips):
    together = bank(clips, 3)
    for index in range(len(clips)):
        alone = bank(clips[index : index + 1], 3)
        assert (alone[0] - together[index]).abs().max() <= ROUNDING[bank.family]


def test_one_style_a_clip_is_the_same_as_one_by_one(bank, clips):
    mixed = bank(clips, torch.tensor([2, 0, 3, 0]))
    for index, style in enumerate([2, 0, 3, 0]):
        one = bank(clips[index : index + 1], style)[0]
        assert (mixed[index] - one).abs().max() <= ROUNDING[bank.family]
    assert torch.equal(mixed, bank(clips, [2, 0, 3, 0]))


def test_styling_commutes_with_shuffling(bank, clips):
    order = torch.randperm(8, generator=torch.Generator().manual_seed(3))
    for style in range(bank.num):
        assert torch.equal(bank(clips[:, :, order], style), bank(clips, style)[:, :, order])


def test_still_clips_stay_perfectly_still(bank, clips):
    still = clips[:, :, :1].expand(-1, -1, 8, -1, -1)
    for style in range(bank.num):
        assert bank(still, style).diff(dim=2).abs().max() == 0


def test_object_stays_visible_in_every_style(bank, clips):
    for style in range(bank.num):
        out = bank(clips, style)
        swing = (out.amax(2) - out.amin(2)).amax(1).flatten(1)  # what moved, (B, H W)
        assert (swing.quantile(0.9, dim=1) > 0.25).all()


def test_autocast_changes_nothing(bank, clips):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(bank(clips, 1), make_styles(bank.family)(clips, 1))
        inside = bank(clips, 1)
    assert torch.equal(inside, bank(clips, 1))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_agrees(bank, clips):
    there = bank(clips.cuda(), [0, 1, 2, 3])
    assert there.is_cuda
    # the device's convolutions may round to TensorFloat-32, to about 1e-3
    tolerance = 2e-3 if bank.family == "randconv" else 1e-6
    assert (there.cpu() - bank(clips, [0, 1, 2, 3])).abs().max() < tolerance
    assert style_report(bank, clips.cuda()).commutes <= 1e-6


# --- the report and the picture


def test_report_of_a_sound_bank(bank, clips):
    report = style_report(bank, clips)
    assert report.flicker == 0 and report.commutes == 0
    assert report.strength > 0.08  # a pixel's range is 1, and toy backgrounds are close to grey
    for a, b in combinations(range(4), 2):
        expected = (bank(clips, a) - bank(clips, b)).abs().mean().item()
        assert report.pairs[a][b] == report.pairs[b][a] == pytest.approx(expected)
        assert expected > 0.05
    assert report.table().count("\n") == 5 and "flicker" in report.table()


class DrawnAnewForEachFrame:
    """A bad bank: every frame gets a brightness of its own."""

    num, reach = 2, 0

    def __call__(self, clips, style):
        frames = torch.linspace(0, 0.1, clips.shape[2])[:, None, None]
        return clips * 0.5 + frames + 0.1 * style


class MeasuredOnEachFrame:
    """A bad bank that a wholly still clip would not reveal: every frame is centred by itself."""

    num, reach = 2, 0

    def __call__(self, clips, style):
        return clips - clips.mean((1, 3, 4), keepdim=True) + 0.1 * style


def test_report_catches_flicker(clips):
    drawn, measured = DrawnAnewForEachFrame(), MeasuredOnEachFrame()
    assert style_report(drawn, clips).flicker == pytest.approx(0.1 / 7, rel=1e-3)
    assert style_report(drawn, clips).commutes > 0.01
    assert style_report(measured, clips).flicker > 1e-4


def test_preview_has_a_row_for_each_style(bank, clips):
    strip = preview_strip(bank, clips[0], columns=3)
    assert strip.shape == (5 * 34 - 2, 3 * 34 - 2, 3) and strip.dtype.name == "uint8"
    assert (strip[32:34] == 255).all() and (strip[:, 32:34] == 255).all()
    original = (clips[0, :, 0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert (strip[:32, :32] == original).all()
    last = (bank(clips[:1], 3)[0, :, -1] * 255).round().byte().permute(1, 2, 0).numpy()
    assert (strip[-32:, -32:] == last).all()


def test_preview_is_written_in_the_right_colours(bank, clips, tmp_path):
    save_preview(bank, clips[0], tmp_path / "styles.png")
    read = cv2.imread(str(tmp_path / "styles.png"))[..., ::-1]
    assert (read == preview_strip(bank, clips[0], zoom=3)).all()


def test_preview_into_no_folder_is_an_error(bank, clips, tmp_path):
    with pytest.raises(OSError, match="does its folder exist"):
        save_preview(bank, clips[0], tmp_path / "missing" / "styles.png")


# --- errors


def test_wrong_banks_are_refused():
    with pytest.raises(ValueError, match="colour, randconv or grade, but got 'fourier'"):
        make_styles("fourier")
    for num in (1, 17):
        with pytest.raises(ValueError, match=f"but got {num}; 4 will do"):
            make_styles("colour", num)


@pytest.mark.parametrize(
    "bad",
    [
        torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8),
        torch.zeros(1, 3, 2, 8, 8, dtype=torch.bfloat16),
        torch.zeros(1, 2, 3, 8, 8),
        torch.zeros(3, 2, 8, 8),
    ],
)
def test_wrong_clips_are_refused(bank, bad):
    with pytest.raises(ValueError, match="`clips` to be"):
        bank(bad, 0)


@pytest.mark.parametrize("bad", [4, -1, 0.5, [0, 1], torch.tensor([0, 0, 0, 4])])
def test_wrong_styles_are_refused(bank, clips, bad):
    with pytest.raises(ValueError, match="`style` to be 0 to 3"):
        bank(clips, bad)


def test_report_needs_two_frames(bank, clips):
    with pytest.raises(ValueError, match="at least 2 frames"):
        style_report(bank, clips[:, :, :1])
