"""Static and dynamic pairs: a clip shares its look with one view, and its motion with another.

A static pair is a clip and the same clip with its frames in random order (same look, broken
dynamics); a dynamic pair is the clip in two styles (same dynamics, other look). Three views serve
both, and a third pair of two that share neither: the same content in another order and look.
Orders and styles follow from (seed, video index) alone.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from slowfast_bias.bias.scores import NEITHER
from slowfast_bias.datasets.pairs.frame_order import draw_order, reorder, shuffled
from slowfast_bias.datasets.pairs.request import Inputs, PairRequest, Views, register_pairs
from slowfast_bias.seeding import seed_from


@register_pairs()
def static_dynamic(request: PairRequest) -> Views:
    """Returns style a, style b, and style a shuffled: three pairs of every clip."""
    bank, clips = request.bank, request.clips
    picks = [draw_styles(bank.num, request.seed, video) for video in request.videos]
    first, second = torch.tensor(picks).unbind(1)
    views = three_views(request, bank(clips, first), bank(clips, second))
    return replace(views, original=clips)


def three_views(request: PairRequest, styled: torch.Tensor, restyled: torch.Tensor) -> Views:
    """Returns the views of clips (B, 3, T, H, W) that come in style a and in style b.

    With BIAS.ORDER "clip" frames are shuffled before they are packed, one order for all pathways;
    with "pathway" after, one order each. With BIAS.EFFECT style b is shown in that order too.
    """
    orders, frames = None, styled.shape[2]
    if request.order == "clip":
        orders = shuffled(frames, request.seed, request.videos)
    inputs = {"styled": request.pack(styled)}
    inputs["shuffled"] = _shuffled(request, styled, inputs["styled"], orders)
    inputs["restyled"] = request.pack(restyled)
    twins = {"shuffled": "styled"}
    if request.effect:
        inputs["reshuffled"] = _shuffled(request, restyled, inputs["restyled"], orders)
        twins["reshuffled"] = "restyled"
    first = inputs["styled"]
    same = orders is not None and len(first) == 1 and first[0].shape[2] == frames
    return Views(
        inputs=inputs,
        pairs={
            "static": ("styled", "shuffled"),
            "dynamic": ("styled", "restyled"),
            NEITHER: ("shuffled", "restyled"),
        },
        reordered={view: (twin, orders) for view, twin in twins.items()} if same else {},
        effect=(("styled", "shuffled"), ("restyled", "reshuffled")) if request.effect else None,
    )


def _shuffled(
    request: PairRequest, clips: torch.Tensor, packed: Inputs, orders: torch.Tensor | None
) -> Inputs:
    """Returns clips in the orders of BIAS.ORDER; None: each pathway in its own."""
    if orders is not None:
        return request.pack(reorder(clips, orders))
    return [_shuffle_pathway(x, i, request) for i, x in enumerate(packed)]


def draw_styles(num: int, seed: int, video: int) -> list[int]:
    """Returns two different styles of `num` for a video."""
    generator = torch.Generator().manual_seed(seed_from(seed, video, 0))
    return torch.randperm(num, generator=generator)[:2].tolist()


def _shuffle_pathway(x: torch.Tensor, pathway: int, request: PairRequest) -> torch.Tensor:
    orders = [draw_order(x.shape[2], request.seed, v, pathway + 1) for v in request.videos]
    return reorder(x, torch.stack(orders))
