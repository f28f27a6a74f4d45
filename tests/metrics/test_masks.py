"""J and F: cases computed by hand, an independent slow reference, and trackeval if it is there."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from slowfast_bias.metrics import (
    Following,
    MaskFigures,
    Overlap,
    boundary,
    contour_accuracy,
    over_time,
    region_similarity,
)


def blob(rng, shape):
    """A mask with a few smooth regions, some of them at the border."""
    y, x = np.indices(shape)
    discs = [
        np.hypot(y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1]))
        < rng.uniform(2, min(shape) / 2.5)
        for _ in range(3)
    ]
    return (discs[0] | discs[1]) & ~discs[2]


def square(shape, top, left, side):
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


# --- J


def test_region_similarity_is_intersection_over_union():
    a, b = square((9, 12), 1, 1, 4), square((9, 12), 3, 3, 4)  # 4 of 28 pixels in both
    assert region_similarity(a, b).item() == 4 / 28
    nothing = np.zeros_like(a)
    several = region_similarity(np.stack([nothing, a, a]), np.stack([nothing, nothing, a]))
    assert several.tolist() == [1, 0, 1]


def test_masks_of_another_size_are_refused():
    for score in (region_similarity, contour_accuracy):
        with pytest.raises(ValueError, match="one shape"):
            score(np.zeros((3, 4)), np.zeros((4, 3)))


def test_the_mean_overlap_of_batches_is_that_of_all_in_any_order():
    masks = torch.rand(7, 5, 6, generator=torch.Generator().manual_seed(0)) > 0.4
    truths = torch.rand(7, 5, 6, generator=torch.Generator().manual_seed(1)) > 0.4
    parts = [Overlap.of(masks[a:b], truths[a:b]) for a, b in ((0, 1), (1, 5), (5, 7))]
    whole = Overlap.of(masks, truths)
    for x, y, z in itertools.permutations(parts):
        assert x.merge(y).merge(z).merge(Overlap()) == whole
    expected = 100 * (1 - region_similarity(masks, truths).mean().item())
    assert whole.compute()["J_err"] == pytest.approx(expected, abs=1e-9)
    assert math.isnan(Overlap().compute()["J_err"])


# --- F


def slow_outline(mask):
    """The rule pixel by pixel: another side to the right, below or both; clipped at the end."""
    height, width = mask.shape
    on = np.zeros(mask.shape, bool)
    for y, x in np.ndindex(height, width):
        down, right = min(y + 1, height - 1), min(x + 1, width - 1)
        on[y, x] = any(mask[y, x] != mask[p] for p in ((y, right), (down, x), (down, right)))
    return on


def slow_contour_accuracy(mask, truth):
    found, wanted = (np.argwhere(slow_outline(m)).astype(float) for m in (mask, truth))
    if not len(found) or not len(wanted):
        return float(len(found) == len(wanted))
    reach = math.ceil(0.008 * math.hypot(*mask.shape))
    distance = np.hypot(*(found[:, None] - wanted[None]).transpose(2, 0, 1))
    precision = (distance.min(1) <= reach).mean()
    recall = (distance.min(0) <= reach).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("shape", [(20, 33), (31, 24), (10, 330)])
def test_contour_accuracy_is_that_of_a_slow_reference(shape):
    rng = np.random.default_rng(0)
    for _ in range(4):
        mask, truth = blob(rng, shape), blob(rng, shape)
        assert (boundary(mask) == slow_outline(mask)).all()
        assert contour_accuracy(mask, truth) == pytest.approx(slow_contour_accuracy(mask, truth))


def test_an_outline_may_be_off_by_eight_pixels_at_480p_and_not_by_nine():
    truth = square((480, 854), 100, 100, 200)
    assert contour_accuracy(square((480, 854), 100, 108, 200), truth) == 1
    assert contour_accuracy(square((480, 854), 100, 109, 200), truth) < 1
    inside = square((480, 854), 160, 160, 60)  # far from every edge
    assert contour_accuracy(inside, truth) == 0


def test_without_outlines_f_is_one_or_nothing():
    nothing, all_of_it, some = np.zeros((9, 9)), np.ones((9, 9)), square((9, 9), 2, 2, 4)
    assert contour_accuracy(nothing, nothing) == contour_accuracy(nothing, all_of_it) == 1
    assert contour_accuracy(some, nothing) == contour_accuracy(all_of_it, some) == 0


# --- sequences


def test_mean_recall_and_decay_by_hand():
    found = over_time([0.9, 0.7, 0.5, 0.6, 0.1])  # quarters: 0-1, 1-2, 2-3, 3-4
    assert found["mean"] == pytest.approx(0.56) and found["recall"] == 3 / 5
    assert found["decay"] == pytest.approx(0.8 - 0.35)
    nine = over_time([1, 1, 1, 0, 0, 0, 0, 1, 0])  # 0-2, ..., 6-8
    assert nine["decay"] == pytest.approx(1 - 1 / 3)
    assert all(map(math.isnan, over_time([]).values()))


def test_decay_counts_more_than_256_frames():
    falling = np.linspace(1, 0, 401)
    assert over_time(falling)["decay"] == pytest.approx(0.75)


def figures_of(name, masks, truths):
    parts = [
        MaskFigures.of(name, k, len(masks), mask, truth)
        for k, (mask, truth) in enumerate(zip(masks, truths, strict=True))
    ]
    return parts


def test_first_and_last_frame_do_not_count_and_order_of_merging_changes_no_bit():
    rng = np.random.default_rng(3)
    masks = [blob(rng, (24, 30)) for _ in range(7)]
    truths = [blob(rng, (24, 30)) for _ in range(7)]
    parts = figures_of("a", masks, truths) + figures_of("b", masks[:4], truths[3:])
    found = []
    for order in (range(11), reversed(range(11)), rng.permutation(11)):
        figures = MaskFigures()
        for k in order:
            figures = figures.merge(parts[k])
        found.append((figures.means(), figures.by_sequence()))
    at_once = MaskFigures().merge(*parts)
    assert found[0] == found[1] == found[2] == (at_once.means(), at_once.by_sequence())
    inner = region_similarity(np.stack(masks[1:-1]), np.stack(truths[1:-1])).numpy()
    assert figures.by_sequence()["a"]["J_mean"] == pytest.approx(100 * inner.mean())
    assert figures.result()["frames"] == 5 + 2 and not figures.missing()
    mean = (found[0][1]["a"]["F_mean"] + found[0][1]["b"]["F_mean"]) / 2
    assert found[0][0]["F_mean"] == pytest.approx(mean)
    assert set(figures.final()) == set(found[0][0]) and "J&F" in figures.final()


def test_frames_that_lack_or_come_twice_are_told():
    mask = square((8, 8), 2, 2, 3)
    some = MaskFigures.of("a", 1, 5, mask, mask)
    assert some.missing() == {"a": 2} and some.result()["missing_frames"] == {"a": 2}
    with pytest.raises(ValueError, match="frame 1 of a came twice"):
        some.merge(some)
    with pytest.raises(ValueError, match="one length of a, but got 5 and 6"):
        some.merge(MaskFigures.of("a", 2, 6, mask, mask))
    short = MaskFigures.of("c", 0, 2, mask, mask)
    assert short.result()["without_a_frame_that_counts"] == ["c"]
    assert some.merge(short).means()["J_mean"] == 100


def test_trackeval_agrees():
    trackeval = pytest.importorskip("trackeval")
    encode = pytest.importorskip("pycocotools.mask").encode
    pytest.importorskip("skimage")
    rng = np.random.default_rng(5)
    masks = [blob(rng, (60, 80)) for _ in range(12)]
    truths = [np.roll(mask, rng.integers(-4, 4, 2), (0, 1)) for mask in masks]
    figures = MaskFigures()
    for part in figures_of("a", masks, truths):
        figures = figures.merge(part)
    found = figures.by_sequence()["a"]

    def coded(pictures):
        return [[encode(np.asfortranarray(p.astype(np.uint8)))] for p in pictures[1:-1]]

    ids = [np.array([0])] * 10
    data = dict(num_timesteps=10, num_tracker_ids=1, num_gt_ids=1, gt_ids=ids, tracker_ids=ids)
    theirs = trackeval.metrics.JAndF().eval_sequence(
        data | dict(gt_dets=coded(truths), tracker_dets=coded(masks))
    )
    for measure in "JF":
        for word in ("Mean", "Recall", "Decay"):
            ours = found[f"{measure}_{word.lower()}"]
            assert ours == pytest.approx(100 * theirs[f"{measure}-{word}"], abs=1e-9)


# --- following


def test_following_counts_what_only_one_object_has():
    rng = np.random.default_rng(0)
    mask, flow, image = (blob(rng, (24, 30)) for _ in range(3))
    found = Following.of(mask, flow, image)
    sets = [{tuple(x) for x in np.argwhere(m)} for m in (mask, flow, image)]
    inside, one, other = sets
    assert found.flow == pytest.approx(len(inside & one) / len(inside | one))
    assert found.image == pytest.approx(len(inside & other) / len(inside | other))
    assert found.flow_pixels == len(inside & one - other)
    assert found.image_pixels == len((inside & other) - one)
