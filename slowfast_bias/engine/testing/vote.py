"""The vote: one loop over a list that serves every test.

    votes = vote(cfg, task, as_filmed(task, model), "test")
    votes.figures("ordered").compute()

What is done to the clips or to the network are its variants; the outputs of a video's clips and
crops are added up per variant, from one decode. Testing, frame orders and silenced units are
variants of this loop, and so is any further behavioural test.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import evaluating
from slowfast_bias.datasets.contract import Batch, recordings_of
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.setup.bookmark import Bookmark
from slowfast_bias.engine.setup.divergence import other_weights, scores_not_finite
from slowfast_bias.engine.setup.fingerprint import list_digest, weights_digest
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.setup.network import autocast
from slowfast_bias.engine.setup.unreadable_videos import UnreadableVideos
from slowfast_bias.engine.tasks import Tally, Task, Verdicts
from slowfast_bias.errors import DataError
from slowfast_bias.models.families import family_of
from slowfast_bias.models.silenced_sets import SilencedSets

log = logging.getLogger(__name__)

Orders = Callable[[int, list[int]], torch.Tensor]  # (frames, clips of the list) -> (B, T)
# (variants, videos, device, views) -> what counts
MakeTally = Callable[[int, int, torch.device, int], Verdicts]


class Variants(Protocol):
    """Several ways of asking one network about the same clips.

    Attributes:
        names: one per variant.
        model: the network.
    """

    names: Sequence[str]
    model: nn.Module

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns what the network gives for a batch, one output per variant."""


class FrameOrders:
    """A network shown the frames of each clip in several orders; None: as they were filmed."""

    def __init__(self, task: Task, model: nn.Module, orders: Mapping[str, Orders | None]) -> None:
        self.task, self.model, self.orders = task, model, dict(orders)
        self.names, self._family = list(orders), family_of(model)

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the scores for each order."""
        found = []
        for draw in self.orders.values():
            orders = None if draw is None else draw(batch.frames(), batch.indices.tolist())
            inputs = self.task.inputs(batch, device, orders)
            found.append(self._family.scores(self._family.call(self.model, inputs)))
        return found


def as_filmed(task: Task, model: nn.Module) -> FrameOrders:
    """Returns the one variant of an ordinary test, called "ordered"."""
    return FrameOrders(task, model, {"ordered": None})


class WithoutUnits:
    """A network without several sets of units of some layers, one variant per layer and set."""

    def __init__(
        self, task: Task, layers: Sequence[tuple[SilencedSets, Sequence[tuple[int, ...]]]]
    ) -> None:
        self.task, self.layers, self.model = task, list(layers), layers[0][0].model
        self.names = [
            f"{silenced.layer}: {' '.join(map(str, units))}"
            for silenced, sets in layers
            for units in sets
        ]

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the scores without each set, layer after layer."""
        inputs = self.task.inputs(batch, device)
        return [x for silenced, sets in self.layers for x in silenced.scores(inputs, sets)]


@dataclass(frozen=True)
class Votes:
    """What a network gives for each video of a list, per variant; the same on every process.

    Attributes:
        names: the variants.
        tally: their outputs, added up over the clips of each video.
        complete: (V,) whether every clip of a video could be read; others do not count.
        meta: what a result says of the list.
        recordings: (V',) which file or folder each complete video is cut from, as a number.
    """

    names: list[str]
    tally: Tally | Verdicts
    complete: torch.Tensor
    meta: dict[str, Any]
    recordings: torch.Tensor

    def hits(self, name: str) -> torch.Tensor:
        """Returns (V',) whether each complete video is right under a variant."""
        return self.tally.hits(self.names.index(name), self.complete)

    def figures(self, name: str) -> Any:
        """Returns the figures of the complete videos under a variant."""
        return self.tally.figures(self.names.index(name), self.complete)

    def labels(self) -> torch.Tensor:
        """Returns (V',) the classes of the complete videos."""
        return self.tally.labels[self.complete]


class _Counted:
    """What was counted of a list so far, as a bookmark keeps it."""

    def __init__(self, tally: Tally | Verdicts, unreadable: UnreadableVideos) -> None:
        self.tally, self.unreadable = tally, unreadable

    def state(self) -> dict[str, Any]:
        """Returns the tally and the videos that could not be read."""
        return {"tally": self.tally.state(), "unreadable": self.unreadable.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.tally.load_state(state["tally"])
        self.unreadable.load_state(state["unreadable"])


def _facts(cfg: CfgNode, variants: Variants, loader: Loader) -> tuple[Any, ...]:
    if not cfg.BIAS.CHECKPOINT_MINUTES:
        return ()
    return weights_digest(variants.model), list_digest(loader.dataset), list(variants.names)


def videos_and_recordings(meta: Mapping[str, Any], frames: bool = False) -> str:
    """Returns "67 videos of 12 recordings" of what a result says of its list; "67 videos".

    With `frames`, "67 frames of 12 sequences": what a list of masks has.
    """
    words = ("frames", "sequences") if frames else ("videos", "recordings")
    videos, recordings = map(counted, (meta["videos"], meta["recordings"]), words)
    return f"{videos} of {recordings}" if meta["recordings"] < meta["videos"] else videos


def counted(count: int, words: str) -> str:
    """Returns "12 videos", "1 video"."""
    return f"{count} {words if count != 1 else words.removesuffix('s')}"


@torch.no_grad()
def vote(
    cfg: CfgNode,
    task: Task,
    variants: Variants,
    split: str,
    title: str = "test",
    make_tally: MakeTally | None = None,
    loader: Loader | None = None,
) -> Votes:
    """Returns the votes of all variants over the clips of every video of a list.

    One decode and one rule for mixed precision serve all variants. Scores that are not finite raise
    NotFiniteError on every process.

    Args:
        cfg: the config.
        task: what is scored.
        variants: what is asked of the network.
        split: the list.
        title: of the progress bar, and in errors.
        make_tally: what counts; None: the task's tally, which keeps every score.
        loader: of the list; None: that of the config.
    """
    device = next(variants.model.parameters()).device
    loader = loader or build_loader(cfg, split)
    views = loader.dataset.views
    videos = -(-len(loader.dataset) // views)
    count = len(variants.names)
    if make_tally is None:
        tally = task.tally(count, videos, device)
    else:
        tally = make_tally(count, videos, device, views)
    unreadable = UnreadableVideos(cfg, loader.dataset, split)
    mark = Bookmark(cfg, title, *_facts(cfg, variants, loader))
    with evaluating(variants.model):
        for batch in mark.batches(loader, _Counted(tally, unreadable)):
            unreadable.add(batch)
            if batch.clips():
                with autocast(cfg, device):
                    outputs = variants.outputs(batch, device)
                tally.add(outputs, batch, batch.indices // views)
    tally.merge_over_ranks()
    unreadable.merge_over_ranks()
    complete = (tally.clips_of() == views).cpu()
    if not complete.any():
        raise DataError(f"Expected at least one readable video in the {split} list, but got none.")
    dropped = (~complete).nonzero().flatten().tolist()
    if dropped:
        log.warning("videos %s could not be read and do not count", dropped)
    finite = tally.finite().cpu() | ~complete
    if not finite.all():  # a number over the other videos would be another number
        bad = (~finite).any(0).nonzero().flatten().tolist()
        clips = [video * views for video in bad]
        total, advice = int(complete.sum()), other_weights(cfg)
        raise scores_not_finite(title, loader.dataset, clips, total, "videos", advice)
    recordings = torch.tensor(recordings_of(loader.dataset))[complete]
    meta = {
        "views": views,
        "videos": int(complete.sum()),
        "recordings": len(recordings.unique()),
        **loader.dataset.about(),
        **unreadable.named(dropped),
    }
    return Votes(list(variants.names), tally, complete, meta, recordings)
