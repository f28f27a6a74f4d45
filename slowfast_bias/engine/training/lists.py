"""The lists of a training run: their batches, the orders of their frames, what cannot be read."""

from __future__ import annotations

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.pairs.frame_order import shuffled
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.setup.unreadable_videos import UnreadableVideos
from slowfast_bias.errors import DataError


class ListInUse:
    """A list of a run: its batches, and what of it could not be read so far."""

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.loader: Loader = build_loader(cfg, split)
        self.unreadable = UnreadableVideos(cfg, self.loader.dataset, split)


def orders_of(shuffles: bool, batch: Batch, seed: int) -> torch.Tensor | None:
    """Returns random orders (B, T) for the frames of a batch; None: as they were filmed."""
    return shuffled(batch.frames(), seed, batch.indices.tolist()) if shuffles else None


def check_batch(train_list: ListInUse, batch: Batch, epoch: int, step: int) -> None:
    """Names clips that could not be read, each once; a batch of nothing is an error."""
    train_list.unreadable.add(batch)
    if not batch.clips():
        why = "".join(f"\n  {reason}" for reason in list(batch.unreadable.values())[:5] if reason)
        raise DataError(
            f"Expected readable videos, but none of the batch in epoch {epoch + 1}, iteration "
            f"{step + 1} could be read (clips {sorted(batch.unreadable)}), nor any other of the "
            "same class. Check DATA.PATH_PREFIX, take the class off the train list, or fix its "
            f"videos:{why}"
        )
