"""The views of a batch of source clips, as a network gets them, or as pictures."""

from __future__ import annotations

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias.recognition import chosen
from slowfast_bias.datasets.contract import ClipSource
from slowfast_bias.datasets.pairs.request import Pack, PairMaker, PairRequest, Views
from slowfast_bias.datasets.sampling.crops import unit_range
from slowfast_bias.engine.measuring.probe import Filmed
from slowfast_bias.engine.runtime import ranks


def make_views(
    cfg: CfgNode,
    source: ClipSource,
    inputs: list[torch.Tensor],
    videos: list[int],
    maker: PairMaker,
    pack: Pack,
) -> Views:
    """Returns the views of clips.

    Args:
        cfg: the config.
        source: where the clips come from.
        inputs: (B, T, H, W, 3), one per stream of the source.
        videos: (B,) their numbers in the list.
        maker: of the pairs.
        pack: from clips (B, 3, T, H, W) in [0, 1] to what a view shall be.
    """
    device = ranks.device_of(cfg)
    clips, *others = (
        unit_range(x.to(device, non_blocking=True).permute(0, 4, 1, 2, 3).contiguous())
        for x in inputs
    )
    return maker.make(
        PairRequest(
            clips=clips,
            videos=videos,
            pack=pack,
            bank=source.bank,
            seed=cfg.BIAS.SEED,
            order=cfg.BIAS.ORDER,
            others=tuple(others),
            effect=cfg.BIAS.EFFECT,
        )
    )


def make_filmed(views: Views, positions: list[int], total: int, pack: Pack) -> Filmed | None:
    """Returns the clips of a batch that are shown as filmed too, evenly spread over the list."""
    rows = [row for row, position in enumerate(positions) if chosen(position, total)]
    if views.original is None or not rows:
        return None
    return Filmed(rows, pack(views.original[rows]))
