"""Pairs of image and flow: what is shared, what differs, and the law of the third pair."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias import engine  # registers
from slowfast_bias.bias import BiasMeter
from slowfast_bias.bias.scores import NEITHER
from slowfast_bias.datasets.flow.jitter import jittered
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.pairs.request import PairRequest, pair_maker
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles
from slowfast_bias.datasets.sampling.crops import unit_range
from slowfast_bias.datasets.segments.flow_clips import FlowClips, SwapClips
from slowfast_bias.datasets.styles.bank import make_styles

BANK = make_styles("colour", num=4, seed=0)
KINDS = ("flow_jitter", "flow_swap")


def clips(seed, batch=4):
    return torch.rand(batch, 3, 1, 8, 9, generator=torch.Generator().manual_seed(seed))


def views_of(kind, videos=(0, 1, 2, 3), rows=slice(None), flows=1, **changes):
    own, others = (
        [clips(k)[rows] for k in range(1, 1 + flows)],
        [clips(9 + k) for k in range(flows)],
    )
    if "folders" in kind:
        own = [clips(20)[rows], *own]
    if "swap" in kind:
        own += [x[rows] for x in others]
    request = PairRequest(
        clips=clips(0)[rows], videos=list(videos), pack=lambda x: [x - 0.5], bank=BANK,
        others=tuple(own), **changes,
    )  # fmt: skip
    return pair_maker(kind).make(request)


@pytest.mark.parametrize("kind", [*KINDS, "flow_jitter_folders", "flow_swap_folders"])
@pytest.mark.parametrize("flows", [1, 2])
def test_a_static_pair_shares_the_image_and_a_dynamic_pair_the_flow(kind, flows):
    views = views_of(kind, flows=flows)
    (a, b), (c, d) = views.pairs["static"], views.pairs["dynamic"]
    assert a == c == "styled" and set(views.pairs[NEITHER]) == {b, d}
    assert b == ("swapped" if "swap" in kind else "jittered") and views.original is None
    styled, changed, restyled = (views.inputs[name] for name in (a, b, d))
    assert len(styled) == 1 + flows
    assert torch.equal(styled[0], changed[0]) and not torch.equal(styled[0], restyled[0])
    for k in range(1, 1 + flows):
        assert torch.equal(styled[k], restyled[k]) and not torch.equal(styled[k], changed[k])


def test_styles_and_flows_are_those_that_were_asked_for():
    jitter, swap = views_of("flow_jitter", seed=3), views_of("flow_swap", seed=3)
    first, second = torch.tensor([draw_styles(4, 3, video) for video in range(4)]).unbind(1)
    for views in (jitter, swap):
        assert torch.equal(views.inputs["styled"][0], BANK(clips(0), first) - 0.5)
        assert torch.equal(views.inputs["restyled"][0], BANK(clips(0), second) - 0.5)
    assert torch.equal(jitter.inputs["jittered"][1], jittered(clips(1), 3, range(4)) - 0.5)
    assert torch.equal(swap.inputs["swapped"][1], clips(9) - 0.5)
    folders = views_of("flow_jitter_folders")
    assert torch.equal(folders.inputs["restyled"][0], clips(20) - 0.5)


def test_forward_and_backward_flow_are_jittered_apart():
    request = PairRequest(
        clips=clips(0), videos=[0, 1, 2, 3], pack=lambda x: [x], bank=BANK,
        others=(clips(1), clips(1)),
    )  # fmt: skip
    forward, backward = pair_maker("flow_jitter").make(request).inputs["jittered"][1:]
    assert not torch.equal(forward, backward)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_gets_the_same_views_in_any_batch(kind):
    together = views_of(kind, seed=1)
    alone = views_of(kind, videos=[2], rows=slice(2, 3), seed=1) if kind == "flow_jitter" else None
    if alone:
        for name, inputs in alone.inputs.items():
            for x, y in zip(inputs, together.inputs[name], strict=True):
                assert torch.equal(x[0], y[2])
    other = views_of(kind, videos=[4, 5, 6, 7], seed=1)
    assert not torch.equal(other.inputs["styled"][0], together.inputs["styled"][0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_effect_of_the_flow_is_measured_in_two_looks(kind):
    views = views_of(kind, effect=True)
    (a, b), (c, d) = views.effect
    assert torch.equal(views.inputs[c][0], views.inputs[d][0])
    assert torch.equal(views.inputs[b][1], views.inputs[d][1])
    assert len(views.inputs) == 4 and views_of(kind).effect is None


def features(inputs):
    """Units of one stream, of the other, and of both together."""
    image, flow = (x.flatten(1).double() for x in inputs)
    weights = torch.randn(image.shape[1], 5, generator=torch.Generator().manual_seed(7)).double()
    look, motion = (image @ weights).tanh(), (flow @ weights).tanh()
    return {"app": look.float(), "mot": motion.float(), "fuse": (look * motion + look).float()}


@pytest.mark.filterwarnings("ignore:.*pairs")  # four pairs are few
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_alone_has_no_look_only_or_no_motion_only_exactly(kind):
    """In every unit: without the image look-only is 0, without the flow motion-only."""
    views = views_of(kind)
    meter = BiasMeter(["app", "mot", "fuse"])
    found = {name: features(inputs) for name, inputs in views.inputs.items()}
    views.add_to(meter, found, [0, 1, 2, 3], [0, 0, 1, 1])
    app, mot, fuse = meter.compute().layers.values()
    ones, zeros = torch.ones(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)
    assert torch.allclose(app.unit_scores("static"), ones, atol=1e-12, rtol=0)
    assert torch.allclose(mot.unit_scores("dynamic"), ones, atol=1e-12, rtol=0)
    assert torch.equal(app.unit_scores("motion"), zeros)
    assert torch.equal(mot.unit_scores("look"), zeros)
    assert app.score("motion") == mot.score("look") == 0
    for contrast in ("look", "motion"):  # what uses both has neither
        assert fuse.unit_scores(contrast).abs().max() > 0.1


@pytest.fixture
def toy(tiny):
    words = ("BIAS.SEGMENTS.SIZE", [32, 32], "DATA.NUM_FRAMES", 1)
    return lambda *more: tiny("TRAIN.DATASET", "toysegments", *words, *more, check=False)


def test_a_source_gives_frames_flow_and_another_sequences_flow(toy):
    assert engine  # its import registered them
    cfg = toy("BIAS.SEGMENTS.BACKWARD", True, "BIAS.TOY.NUM_VAL", 6)
    plain, swap = (kind(cfg, "val") for kind in (FlowClips, SwapClips))
    assert [s.holds for s in plain.streams] == ["rgb", "flow", "flow"]
    assert [s.holds for s in swap.streams] == ["rgb", *["flow"] * 4]
    for position in range(6):
        partner = swap.partner(position)
        assert partner != position
        inputs = swap.sample(position).inputs
        assert torch.equal(torch.stack(inputs[3:]), torch.stack(plain.sample(partner).inputs[1:]))
        assert torch.equal(torch.stack(inputs[:3]), torch.stack(plain.sample(position).inputs))
    assert len({swap.recording(k) for k in range(6)}) == 6
    few = FlowClips(cfg, "val", 3)
    assert list(few.videos) == [0, 2, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_a_source_are_what_a_maker_takes(toy, kind):
    source = pair_maker(kind).source(toy(), "val")
    (batch,) = [next(iter(Loader(source, 5, training=False, seed=0)))]
    images, *others = (unit_range(x.permute(0, 4, 1, 2, 3)) for x in batch.inputs)
    request = PairRequest(
        clips=images, videos=batch.indices.tolist(), pack=lambda x: [x], bank=source.bank,
        others=tuple(others),
    )  # fmt: skip
    views = pair_maker(kind).make(request)
    assert all([x.shape for x in v] == [(5, 3, 1, 32, 32)] * 2 for v in views.inputs.values())
