"""Showing: a process's share of the videos of a measurement, shown to all its probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fvcore.common.config import CfgNode
from torch import Tensor

from slowfast_bias.datasets.contract import ClipSource
from slowfast_bias.datasets.pairs.request import PairMaker
from slowfast_bias.engine.measuring.portions import Portions
from slowfast_bias.engine.measuring.probe import Probe
from slowfast_bias.engine.measuring.views import make_filmed, make_views
from slowfast_bias.engine.setup.bookmark import Bookmark
from slowfast_bias.engine.setup.fingerprint import list_digest, weights_digest
from slowfast_bias.engine.setup.loaders import source_loader
from slowfast_bias.engine.setup.unreadable_videos import NO_REASON, Unreadable
from slowfast_bias.engine.tasks import Task

PASS = "measurement"  # what it is called
Bad = tuple[int, Unreadable]  # number of a video in its list, and why it is not in the numbers


class Showing:
    """Reads, makes views, and shows them; what its probes hold at the end are the statistics.

    Attributes:
        bad: the videos that could not be read.
    """

    def __init__(
        self,
        cfg: CfgNode,
        source: ClipSource,
        recordings: list[int],
        maker: PairMaker,
        task: Task,
        probes: Sequence[Probe],
    ) -> None:
        self.cfg, self.source, self.recordings = cfg, source, recordings
        self.maker, self.task, self.probes = maker, task, probes
        self.portions = Portions(self._prepare, probes)
        self.bad: list[Bad] = []

    def run(self) -> list[Bad]:
        """Shows what is left of the share; returns all that is unreadable in it."""
        loader = source_loader(self.cfg, self.source)
        for batch in self._bookmark().batches(loader, self):
            for position, reason in batch.unreadable.items():
                video = Unreadable(*self.source.describe(position), reason or NO_REASON)
                self.bad.append((self.source.videos[position], video))
            if batch.clips():
                self.portions.show(batch.inputs, batch.indices.tolist())
        return self.bad

    def state(self) -> dict[str, Any]:
        """Returns what was found so far."""
        return {
            "probes": [probe.state() for probe in self.probes],
            "portions": [self.portions.size, dict(self.portions.shown)],
            "bad": [[number, *video] for number, video in self.bad],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave, before the first batch."""
        for probe, known in zip(self.probes, state["probes"], strict=True):
            probe.load_state(known)
        self.portions.size, self.portions.shown = state["portions"]
        self.bad = [(number, Unreadable(*video)) for number, *video in state["bad"]]

    def _bookmark(self) -> Bookmark:
        if not self.cfg.BIAS.CHECKPOINT_MINUTES:
            return Bookmark(self.cfg, PASS)
        shown = [(weights_digest(p.network), p.headless, p.clips, p.taps) for p in self.probes]
        facts = list_digest(self.source), list(self.source.videos), self.source.bank.about()
        return Bookmark(self.cfg, PASS, *shown, *facts)

    def _prepare(self, inputs: list[Tensor], positions: list[int]) -> Callable[[Probe], None]:
        videos = [self.source.videos[position] for position in positions]
        views = make_views(self.cfg, self.source, inputs, videos, self.maker, self.task.pack)
        filmed = make_filmed(views, positions, len(self.source), self.task.pack)
        cut_from = [self.recordings[position] for position in positions]
        return lambda probe: probe.add(views, videos, cut_from, filmed)
