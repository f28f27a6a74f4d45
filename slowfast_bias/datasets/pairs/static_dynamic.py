"""Pairs: views of a clip of which two at a time share one factor.

A static pair is a clip and the same clip with its frames in random order (same look, broken
dynamics); a dynamic pair is the clip in two styles (same dynamics, other look). Three views serve
both. Orders and styles follow from (seed, video index) alone, so that batch size, workers and
processes change nothing. Legend: B batch, T frames, H W space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from fvcore.common.registry import Registry

from slowfast_bias.datasets.loader import fold
from slowfast_bias.datasets.styles.bank import StyleBank

Pack = Callable[[torch.Tensor], list[torch.Tensor]]

PAIR_REGISTRY = Registry("PAIRS")
PAIR_REGISTRY.__doc__ = """
Registry of pair makers.

The registered object will be called with `obj(clips, videos, pack, bank, seed, order)`: clips
(B, 3, T, H, W) in [0, 1] on the model's device (or in the form that its source gives), their video
indices (B,), and what turns clips into the model's inputs. It returns a `Views`.
"""

Inputs = list[torch.Tensor]


@dataclass(frozen=True)
class Views:
    """What a network is shown of one batch of videos.

    Attributes:
        inputs: {view: model inputs}, in the order in which to run them.
        pairs: {factor: (view, view)}.
        reordered: {view: (source view, order (B, T))}, for views that are another view with its
            frames in another order, all pathways alike. Frame-wise stages can be reused for them.
    """

    inputs: dict[str, Inputs]
    pairs: dict[str, tuple[str, str]]
    reordered: dict[str, tuple[str, torch.Tensor]]


@PAIR_REGISTRY.register()
def static_dynamic(
    clips: torch.Tensor,
    videos: list[int],
    pack: Pack,
    bank: StyleBank,
    seed: int = 0,
    order: str = "clip",
) -> Views:
    """Style a, style b, and style a shuffled: a static and a dynamic pair of every clip.

    Args:
        clips: (B, 3, T, H, W) in [0, 1].
        videos: their indices in the list.
        pack: from styled clips to pathways, normalised.
        bank: the styles.
        seed: decides styles and orders, together with the video's index.
        order: "clip": frames are shuffled before they are packed, one order for all pathways;
            "pathway": after, one order each.
    """
    picks = torch.tensor([draw_styles(bank.num, seed, video) for video in videos])
    return three_views(
        pack, bank(clips, picks[:, 0]), bank(clips, picks[:, 1]), videos, seed, order
    )


def three_views(
    pack: Pack,
    styled: torch.Tensor,
    restyled: torch.Tensor,
    videos: list[int],
    seed: int = 0,
    order: str = "clip",
) -> Views:
    """A static and a dynamic pair of clips (B, 3, T, H, W) that come in style a and in style b.

    Other arguments are those of `static_dynamic`.
    """
    first = pack(styled)
    if order == "clip":
        orders = torch.stack([draw_order(styled.shape[2], seed, video) for video in videos])
        shuffled = pack(reorder(styled, orders))
    else:
        shuffled = [_shuffle_pathway(x, i, seed, videos) for i, x in enumerate(first)]
    same = order == "clip" and len(first) == 1 and first[0].shape[2] == styled.shape[2]
    return Views(
        inputs={"styled": first, "shuffled": shuffled, "restyled": pack(restyled)},
        pairs={"static": ("styled", "shuffled"), "dynamic": ("styled", "restyled")},
        reordered={"shuffled": ("styled", orders)} if same else {},
    )


def draw_styles(num: int, seed: int, video: int) -> list[int]:
    """Two different styles of ``num`` for a video."""
    generator = torch.Generator().manual_seed(fold(seed, video, 0))
    return torch.randperm(num, generator=generator)[:2].tolist()


def draw_order(frames: int, seed: int, video: int, pathway: int = 0) -> torch.Tensor:
    """A random order (T,) for a video, never the identity: of few frames that would be likely."""
    if frames < 2:
        raise ValueError(
            f"Expected clips of at least 2 frames, as one frame has no order, but got {frames}. "
            "Raise DATA.NUM_FRAMES, or lower SLOWFAST.ALPHA for a pathway of several frames."
        )
    generator = torch.Generator().manual_seed(fold(seed, video, 1, pathway))
    identity = torch.arange(frames)
    while True:
        order = torch.randperm(frames, generator=generator)
        if not torch.equal(order, identity):
            return order


def reorder(x: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """Each clip of x (B, C, T, H, W) with its frames in its own order, orders (B, T)."""
    orders = orders.to(x.device)
    return torch.stack([clip.index_select(1, order) for clip, order in zip(x, orders, strict=True)])


def _shuffle_pathway(x: torch.Tensor, pathway: int, seed: int, videos: list[int]) -> torch.Tensor:
    orders = [draw_order(x.shape[2], seed, video, pathway + 1) for video in videos]
    return reorder(x, torch.stack(orders))
