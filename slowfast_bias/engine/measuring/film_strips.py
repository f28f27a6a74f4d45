"""Film strips of some of the clips that were measured, read again: the view that was shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.config.check_styles import pairs_name
from slowfast_bias.datasets.contract import ClipSource
from slowfast_bias.datasets.loader import DeterministicDataset
from slowfast_bias.datasets.pairs.request import PairMaker, PairsError
from slowfast_bias.engine.measuring.views import make_views
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup.unreadable_videos import NO_REASON, Unreadable
from slowfast_bias.visualization.drawing.film_strip import Strip, make_strip


class Shown(NamedTuple):
    """The clips of a measurement.

    Attributes:
        source: where they come from.
        maker: of their views.
        view: the one that is pictured.
    """

    source: ClipSource
    maker: PairMaker
    view: str


def read_strips(
    cfg: CfgNode, shown: Shown, videos: Iterable[int]
) -> tuple[dict[int, Strip], dict[int, Unreadable]]:
    """Returns {video: its strip}, and those that cannot be read any more; the same on every rank.

    Processes share the videos out.
    """
    mine = sorted(videos)[ranks.rank() :: ranks.world_size()]
    shares = ranks.all_or_none(lambda: [_read(cfg, shown, video) for video in mine])
    strips: dict[int, Strip] = {}
    unreadable: dict[int, Unreadable] = {}
    for video, found in sorted(pair for share in shares for pair in share):
        if isinstance(found, Strip):
            strips[video] = found
        else:
            unreadable[video] = found
    return strips, unreadable


def _read(cfg: CfgNode, shown: Shown, video: int) -> tuple[int, Strip | Unreadable]:
    source, position = shown.source, list(shown.source.videos).index(video)
    sample = DeterministicDataset(source, cfg.BIAS.SEED)[position]  # as the loader reads it
    if not sample.inputs:
        reason = sample.unreadable.get(position) or NO_REASON
        return video, Unreadable(*source.describe(position), reason)
    batch = [x[None] for x in sample.inputs]
    pictures = make_views(cfg, source, batch, [video], shown.maker, lambda clips: [clips])
    return video, make_strip(_clip(pictures.inputs[shown.view], cfg))


def _clip(inputs: list[torch.Tensor], cfg: CfgNode) -> torch.Tensor:
    """Returns the picture of a view, (3, T, H, W) in [0, 1]."""
    (clip, *_) = inputs
    low, high = (float(x) for x in clip.aminmax())
    if clip.ndim != 5 or clip.shape[:2] != (1, 3) or not (low >= 0 and high <= 1):
        raise PairsError(
            f"Expected the views of BIAS.PAIRS {pairs_name(cfg)} to be `request.pack` of clips "
            f"(B, 3, T, H, W) in [0, 1], but one clip gives {tuple(clip.shape)} from {low:.3g} to "
            f"{high:.3g}: such pairs have no pictures; set BIAS.TOP_CLIPS to 0."
        )
    return clip[0]
