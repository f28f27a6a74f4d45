"""Pairs: what is shared, what differs, and that (seed, video) alone decides it."""

import pytest
import torch

from slowfast_bias.datasets.pairs.frame_order import draw_order, reorder
from slowfast_bias.datasets.pairs.request import PairRequest, PairsError, pair_maker
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles
from slowfast_bias.datasets.styles.bank import make_styles

BANK = make_styles("colour", num=4, seed=0)


def clips(batch=4, frames=8, size=12):
    return torch.rand(batch, 3, frames, size, size, generator=torch.Generator().manual_seed(1))


def one_pathway(styled):
    return [styled]


def two_pathways(styled):
    return [styled[:, :, ::4], styled]


def static_dynamic(source, videos, pack, **changes):
    request = PairRequest(clips=source, videos=videos, pack=pack, bank=BANK, **changes)
    return pair_maker("static_dynamic").make(request)


def test_static_pair_has_the_same_frames_in_another_order():
    views = static_dynamic(clips(), [0, 1, 2, 3], one_pathway)
    a, shuffled = (views.inputs[name][0] for name in views.pairs["static"])
    for clip, other in zip(a, shuffled, strict=True):
        frames = sorted(f.sum().item() for f in clip.unbind(1))
        assert frames == sorted(f.sum().item() for f in other.unbind(1))
        assert not torch.equal(clip, other)


def test_dynamic_pair_has_the_same_frames_in_another_style():
    source = clips()
    views = static_dynamic(source, [0, 1, 2, 3], one_pathway)
    a, b = (views.inputs[name][0] for name in views.pairs["dynamic"])
    for i, video in enumerate([0, 1, 2, 3]):
        first, second = draw_styles(4, 0, video)
        assert first != second
        assert torch.equal(a[i : i + 1], BANK(source[i : i + 1], first))
        assert torch.equal(b[i : i + 1], BANK(source[i : i + 1], second))


def test_a_video_gets_the_same_views_in_any_batch():
    source = clips()
    together = static_dynamic(source, [5, 6, 7, 8], two_pathways, seed=3)
    alone = static_dynamic(source[2:3], [7], two_pathways, seed=3)
    for view, inputs in alone.inputs.items():
        for pathway, x in enumerate(inputs):
            assert torch.equal(x[0], together.inputs[view][pathway][2])


def test_seed_and_video_both_change_the_order():
    orders = {tuple(draw_order(8, seed, video).tolist()) for seed in (0, 1) for video in range(20)}
    assert len(orders) > 35


@pytest.mark.parametrize("frames", [2, 3, 4, 8])
def test_the_identity_order_is_never_drawn(frames):
    for video in range(200):
        order = draw_order(frames, 0, video)
        assert sorted(order.tolist()) == list(range(frames))
        assert order.tolist() != list(range(frames))


def test_one_frame_has_no_order():
    with pytest.raises(ValueError, match="at least 2 frames"):
        draw_order(1, 0, 0)


def test_clip_order_moves_all_pathways_alike():
    source = clips()
    views = static_dynamic(source, [0, 1, 2, 3], two_pathways, order="clip")
    slow, fast = views.inputs["shuffled"]
    assert torch.equal(slow, fast[:, :, ::4])


def test_pathway_order_shuffles_each_pathway_within_itself():
    views = static_dynamic(clips(), [0, 1, 2, 3], two_pathways, order="pathway")
    for x, shuffled in zip(views.inputs["styled"], views.inputs["shuffled"], strict=True):
        for clip, other in zip(x, shuffled, strict=True):
            sums = sorted(f.sum().item() for f in clip.unbind(1))
            assert sums == sorted(f.sum().item() for f in other.unbind(1))
    slow, fast = views.inputs["shuffled"]
    assert not torch.equal(slow, fast[:, :, ::4])


def test_reordered_view_is_its_source_reordered():
    views = static_dynamic(clips(), [0, 1, 2, 3], one_pathway)
    source, orders = views.reordered["shuffled"]
    assert torch.equal(reorder(views.inputs[source][0], orders), views.inputs["shuffled"][0])


@pytest.mark.parametrize(("pack", "order"), [(two_pathways, "clip"), (one_pathway, "pathway")])
def test_views_that_are_no_plain_reordering_do_not_claim_to_be(pack, order):
    views = static_dynamic(clips(), [0, 1, 2, 3], pack, order=order)
    assert views.reordered == {}


def test_an_unknown_maker_is_named_with_those_there_are():
    with pytest.raises(PairsError, match="BIAS.PAIRS .*static_dynamic.*but got 'statics'"):
        pair_maker("statics")
