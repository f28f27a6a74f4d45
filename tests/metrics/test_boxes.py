"""MoCA's boxes: rules that change the answer are told apart, and named beside every number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import ndimage

from slowfast_bias.metrics import BoxFigures, BoxRule, box_overlap, mask_box


def picture(*regions, shape=(40, 60)):
    mask = np.zeros(shape)
    for top, left, height, width, value in regions:
        mask[top : top + height, left : left + width] = value
    return mask


def test_the_threshold_is_strict():
    faint = picture((4, 4, 10, 10, 51 / 255), (20, 30, 6, 8, 52 / 255))
    assert mask_box(faint, BoxRule()) == (30, 20, 38, 26)
    assert mask_box((faint * 255).round().astype(np.uint8), BoxRule()) == (30, 20, 38, 26)
    assert mask_box(faint, BoxRule(threshold=0.1)) == (4, 4, 14, 14)
    assert mask_box(picture(), BoxRule()) is None


def test_the_rectangle_with_most_inside_is_not_the_largest():
    thin = [(k, k, 1, 2, 1) for k in range(2, 30)]  # a diagonal: a large rectangle, hardly filled
    mask = picture(*thin, (20, 45, 9, 9, 1))
    assert mask_box(mask, BoxRule()) == (45, 20, 54, 29)
    assert mask_box(mask, BoxRule(rectangle="largest")) == (2, 2, 31, 30)


def test_a_mask_that_covers_the_border_is_turned_inside_out():
    mask = 1 - picture((10, 20, 5, 6, 1))
    assert mask_box(mask, BoxRule()) == (20, 10, 26, 15)
    assert mask_box(mask, BoxRule(invert=False)) == (0, 0, 60, 40)


def test_the_box_of_any_mask_is_that_of_another_labelling():
    rng, compared = np.random.default_rng(0), 0
    for _ in range(20):
        soft = ndimage.gaussian_filter(rng.random((40, 60)), 2)
        soft = (
            (soft - soft.min()) / np.ptp(soft) * (1 - picture((0, 0, 1, 60, 1), (39, 0, 1, 60, 1)))
        )
        inside = soft > 0.6
        labels, _ = ndimage.label(inside, np.ones((3, 3)))
        slices = ndimage.find_objects(labels)
        rows, columns = max(slices, key=lambda s: inside[s].sum())
        weights = sorted(inside[s].sum() for s in slices)
        if weights[-1] > weights[-2]:  # of two that hold as much either may be taken
            expected = (columns.start, rows.start, columns.stop, rows.stop)
            assert mask_box(soft, BoxRule(threshold=0.6)) == expected
            compared += 1
    assert compared > 10


def test_a_box_is_scaled_to_the_picture_it_is_compared_on():
    assert mask_box(picture((10, 20, 5, 6, 1)), BoxRule(), size=(80, 180)) == (60, 20, 78, 30)


def test_overlap_by_hand():
    assert box_overlap((0, 0, 4, 4), (2, 2, 6, 6)) == 4 / 28
    assert box_overlap((0, 0, 4, 4), (4, 0, 8, 4)) == box_overlap(None, (0, 0, 1, 1)) == 0
    assert box_overlap((1, 2, 3, 5), (1, 2, 3, 5)) == 1


def test_means_are_over_videos_and_success_over_frames():
    whole, half = picture((10, 20, 6, 8, 1)), picture((10, 20, 6, 4, 1))
    truth = (20, 10, 28, 16)
    parts = [
        BoxFigures.of("a", 0, whole, truth, (40, 60)),
        BoxFigures.of("a", 1, half, truth, (40, 60)),  # .5, which is not above .5
        BoxFigures.of("a", 2, half, truth, (40, 60)),
        BoxFigures.of("b", 0, picture(), truth, (40, 60)),
    ]
    for order in itertools.permutations(parts):
        figures = BoxFigures()
        for part in order:
            figures = figures.merge(part)
        means = figures.means()
        assert means["mIoU"] == pytest.approx(100 * (2 / 3 + 0) / 2)
        assert means["SR_0.5"] == means["SR_0.9"] == means["mSR"] == 25
    assert figures.final()["threshold"] == "0.2" and figures.final()["flip"] == "False"
    assert figures.result()["rule"]["rectangle"] == "most inside"
    assert math.isnan(BoxFigures().means()["mIoU"])


def test_figures_of_two_rules_do_not_merge():
    one = BoxFigures.of("a", 0, picture(), (0, 0, 1, 1), (40, 60))
    other = BoxFigures.of("a", 1, picture(), (0, 0, 1, 1), (40, 60), BoxRule(threshold=0.1))
    with pytest.raises(ValueError, match="one rule"):
        one.merge(other)
    assert BoxFigures().merge(other).rule.threshold == 0.1
    with pytest.raises(ValueError, match="rectangle"):
        BoxRule(rectangle="any")
