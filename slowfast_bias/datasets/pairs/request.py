"""What a maker of pairs is asked, what it returns, and how one is found by name (BIAS.PAIRS).

    @register_pairs()
    def static_only(request: PairRequest) -> Views:
        ...

A maker takes one `PairRequest` and returns `Views`. Its clips come from the data set, unless it is
registered with another `source`. Legend: B batch, T frames, H W space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from slowfast_bias.bias import BiasMeter
from slowfast_bias.bias.scores import EFFECT
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.errors import UserError

Inputs = list[torch.Tensor]
Pack = Callable[[torch.Tensor], Inputs]


class PairsError(UserError, ValueError):
    """BIAS.PAIRS names no maker of pairs."""


@dataclass(frozen=True)
class PairRequest:
    """What pairs are made of.

    Attributes:
        clips: (B, 3, T, H, W) in [0, 1], on the network's device.
        videos: (B,) their numbers in the list, of which every random choice follows.
        pack: from clips in [0, 1] to what the network is given, normalised.
        bank: the styles of BIAS.STYLES.
        seed: BIAS.SEED.
        order: BIAS.ORDER.
        others: further streams of the source, shaped as `clips`.
        effect: whether the effect of the order is wanted in two looks (BIAS.EFFECT).
    """

    clips: torch.Tensor
    videos: list[int]
    pack: Pack
    bank: Any
    seed: int = 0
    order: str = "clip"
    others: tuple[torch.Tensor, ...] = ()
    effect: bool = False


@dataclass(frozen=True)
class Views:
    """What a network is shown of one batch of videos.

    Attributes:
        inputs: {view: what the network is given}, in the order in which to run them.
        pairs: {factor: (view, view)}; the factor of views that share nothing is "neither", and
            with it motion and look are scored beyond the content that survives every change.
        reordered: {view: (source view, order (B, T))}, for views that are another view with its
            frames in another order, all pathways alike. Frame-wise stages can be reused for them.
        original: (B, 3, T, H, W) in [0, 1], the clips as they were filmed, if there are any.
        effect: ((view, its reordered twin) in a look, the same in another), if it was wanted.
    """

    inputs: dict[str, Inputs]
    pairs: dict[str, tuple[str, str]]
    reordered: dict[str, tuple[str, torch.Tensor]]
    original: torch.Tensor | None = None
    effect: tuple[tuple[str, str], tuple[str, str]] | None = None

    def add_to(
        self,
        meter: BiasMeter,
        features: Mapping[str, Mapping[str, torch.Tensor]],
        videos: Sequence[int],
        recordings: Sequence[int],
    ) -> None:
        """Adds the pairs to a meter.

        Args:
            meter: of the network that was shown the views.
            features: {view: {layer: (B, C)}}, what it gave for each.
            videos: (B,) numbers of the videos.
            recordings: (B,) numbers of what they are cut from.
        """
        for factor, (a, b) in self.pairs.items():
            meter.update(factor, features[a], features[b], videos, recordings)
        if self.effect:
            changes = [
                {
                    layer: x.double() - features[b][layer].double()
                    for layer, x in features[a].items()
                }
                for a, b in self.effect
            ]
            meter.update(EFFECT, *changes, videos, recordings)


class PairMaker(NamedTuple):
    """A maker of pairs, and the data set of clips that it is made for."""

    make: Callable[[PairRequest], Views]
    source: Callable[..., Any]  # (cfg, split, num_videos) -> clips, see `source_clips`


_makers: dict[str, PairMaker] = {}


def register_pairs(source: Callable[..., Any] = SourceClips) -> Callable:
    """Registers the decorated maker under its own name; `source` is where its clips come from."""

    def register(make: Callable[[PairRequest], Views]) -> Callable[[PairRequest], Views]:
        _makers[make.__name__] = PairMaker(make, source)
        return make

    return register


def pair_maker(name: str) -> PairMaker:
    """Returns the maker of that name; PairsError names those there are."""
    if name not in _makers:
        known = ", ".join(sorted(_makers))
        raise PairsError(f"Expected BIAS.PAIRS to be one of auto, {known}, but got {name!r}.")
    return _makers[name]
