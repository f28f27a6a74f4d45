"""Pairs of image and flow: what a network of two streams is shown.

A dynamic pair has the same flow and the image in two styles; a static pair has the same image and
another flow: of other colours (`flow_jitter`, the paper's), or of another sequence (`flow_swap`).
The third pair shares neither. Three views serve all:

    styled      image a    flow                static    styled, changed
    changed     image a    changed flow        dynamic   styled, restyled
    restyled    image b    flow                neither   changed, restyled

`changed` is called `jittered` or `swapped`. A unit that ignores the image is the same in `styled`
and `restyled`, so that its static score is that of `neither` and its look-only 0, exactly; and of
one that ignores the flow motion-only is 0. Jitter leaves the outline of what moves: "static" under
it means that a unit does not mind which way and how fast. A swap cuts the motion altogether, and
also changes where the object is. See docs/METHOD.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from slowfast_bias.bias.scores import NEITHER
from slowfast_bias.datasets.flow.jitter import jittered
from slowfast_bias.datasets.pairs.request import Inputs, PairRequest, Views, register_pairs
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles
from slowfast_bias.datasets.segments.flow_clips import (
    FlowClips,
    StyledFlowClips,
    StyledSwapClips,
    SwapClips,
)

Streams = tuple[torch.Tensor, ...]


@register_pairs(source=FlowClips)
def flow_jitter(request: PairRequest) -> Views:
    """Returns the views of frames in generated styles, their flow in other colours."""
    return _views(request, _generated(request), request.others, _jittered(request, request.others))


@register_pairs(source=SwapClips)
def flow_swap(request: PairRequest) -> Views:
    """Returns the views of frames in generated styles, their flow that of another sequence."""
    return _views(request, _generated(request), *_halves(request.others), "swapped")


@register_pairs(source=StyledFlowClips)
def flow_jitter_folders(request: PairRequest) -> Views:
    """Returns the views of `flow_jitter`, for frames that come in style a and in style b."""
    restyled, *flows = request.others
    looks = _Looks(request.clips, restyled)
    return _views(request, looks, tuple(flows), _jittered(request, tuple(flows)))


@register_pairs(source=StyledSwapClips)
def flow_swap_folders(request: PairRequest) -> Views:
    """Returns the views of `flow_swap`, for frames that come in style a and in style b."""
    restyled, *flows = request.others
    return _views(
        request, _Looks(request.clips, restyled), *_halves(tuple(flows)), changed="swapped"
    )


@dataclass(frozen=True)
class _Looks:
    """The images in style a and in style b, (B, 3, T, H, W) each."""

    a: torch.Tensor
    b: torch.Tensor


def _generated(request: PairRequest) -> _Looks:
    bank = request.bank
    picks = [draw_styles(bank.num, request.seed, video) for video in request.videos]
    first, second = torch.tensor(picks).unbind(1)
    return _Looks(bank(request.clips, first), bank(request.clips, second))


def _jittered(request: PairRequest, flows: Streams) -> Streams:
    """Returns flow in other colours, forward and backward drawn apart."""
    return tuple(
        jittered(flow, request.seed, request.videos, direction)
        for direction, flow in enumerate(flows)
    )


def _halves(flows: Streams) -> tuple[Streams, Streams]:
    """Returns the frames' own flow, and that of others, as `SwapClips` gives them."""
    return flows[: len(flows) // 2], flows[len(flows) // 2 :]


def _views(
    request: PairRequest, looks: _Looks, flows: Streams, others: Streams, changed: str = "jittered"
) -> Views:
    """Returns the three views; with BIAS.EFFECT also image b with the changed flow."""

    def shown(image: torch.Tensor, flow: Streams) -> Inputs:
        return [x for stream in (image, *flow) for x in request.pack(stream)]

    inputs = {
        "styled": shown(looks.a, flows),
        changed: shown(looks.a, others),
        "restyled": shown(looks.b, flows),
    }
    effect = None
    if request.effect:
        inputs[f"re{changed}"] = shown(looks.b, others)
        effect = (("styled", changed), ("restyled", f"re{changed}"))
    return Views(
        inputs=inputs,
        pairs={
            "static": ("styled", changed),
            "dynamic": ("styled", "restyled"),
            NEITHER: (changed, "restyled"),
        },
        reordered={},
        effect=effect,
    )
