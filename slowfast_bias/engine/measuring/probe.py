"""One network under measurement: which layers are tapped, and how the views are run through it."""

from __future__ import annotations

import functools
import logging
import math
from dataclasses import astuple
from typing import Any, NamedTuple

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import BiasMeter, evaluating, tapped
from slowfast_bias.bias.extremes import Extremes
from slowfast_bias.bias.layout import Layout
from slowfast_bias.bias.recognition import Recognition
from slowfast_bias.bias.self_test import self_test
from slowfast_bias.datasets.pairs.frame_order import reorder
from slowfast_bias.datasets.pairs.request import Views
from slowfast_bias.engine.measuring.forwards import Forwards
from slowfast_bias.engine.measuring.layers import configured_taps, without_head
from slowfast_bias.models.replay import Replay, frame_wise_prefix

log = logging.getLogger(__name__)

Features = dict[str, torch.Tensor]


class Filmed(NamedTuple):
    """Some clips of a batch as they were filmed.

    Attributes:
        rows: their places in the batch.
        inputs: what the network is given of them.
    """

    rows: list[int]
    inputs: list[torch.Tensor]


class TopClips(NamedTuple):
    """The videos with the largest and smallest values of all units of all layers, side by side.

    Attributes:
        view: the view that the values are of.
        extremes: the videos.
    """

    view: str
    extremes: Extremes


class Probe:
    """Runs the views through one network and meters what its taps read."""

    def __init__(
        self, cfg: CfgNode, model: nn.Module, headless: bool = False, clips: int = 0
    ) -> None:
        """Finds what is tapped.

        Args:
            cfg: the config.
            model: the network.
            headless: whether its classifier is at random: the head is not measured then, and its
                scores are not read.
            clips: how many videos are kept of either end of every unit's values for a view.
        """
        self.network, self.headless, self.clips = model, headless, clips
        self.top_clips: TopClips | None = None
        self.taps = configured_taps(cfg, model)
        if headless:
            self.taps = without_head(self.taps, model, cfg.BIAS.LAYERS)
        self.meter = BiasMeter(self.taps)
        tapped_modules = [tap.module for tap in self.taps]
        self.forwards = Forwards(cfg, model, tapped_modules)
        self.reused: list[str] = []
        if cfg.BIAS.REUSE_PREFIX:
            with evaluating(model):
                self.reused = frame_wise_prefix(model, tapped_modules)
        self.recognition = Recognition()
        self.axes: dict[str, str] = {}  # layer: how its tensors were read, in words
        self._checked = self._tested = False

    @torch.no_grad()
    def add(
        self, views: Views, videos: list[int], recordings: list[int], filmed: Filmed | None = None
    ) -> None:
        """Adds one batch of views to the meter; `filmed` is shown too, and compared."""
        self.forwards.check(next(iter(views.inputs.values())), self._read)
        with evaluating(self.model), self.forwards.arithmetic():
            with tapped(self.model, self.taps) as features:
                by_view, styled = self._run(views, features)
                self.axes = {layer: axes.words() for layer, axes in features.axes.items()}
                if not self._tested:
                    self._self_test(views, by_view, features)
                    self._tested = True  # not before: without memory for it, it is made again
            if filmed is not None and not self.headless:
                self._compare(self._scores(self.forwards(filmed.inputs)), styled, filmed.rows)
        views.add_to(self.meter, by_view, videos, recordings)
        if self.clips:
            self._keep(*next(iter(by_view.items())), torch.tensor(videos))

    def state(self) -> dict[str, Any]:
        """Returns what was found so far, and what the first batch has decided."""
        top = self.top_clips
        kept = top and [top.view, top.extremes.k, top.extremes.values, top.extremes.videos]
        return {
            "meter": self.meter.state(),
            "recognition": list(astuple(self.recognition)),
            "axes": dict(self.axes),
            "top_clips": kept,
            "reused": list(self.reused),
            "decision": self.forwards.decision(),
            "checked": self._checked,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave, before the first batch."""
        self.meter.load_state(state["meter"])
        self.recognition, self.axes = Recognition(*state["recognition"]), state["axes"]
        if state["top_clips"] is not None:
            view, *found = state["top_clips"]
            self.top_clips = TopClips(view, Extremes(*found))
        self.reused, self._checked = state["reused"], state["checked"]
        self.forwards.run_as_before(state["decision"])

    def _keep(self, view: str, features: Features, videos: torch.Tensor) -> None:
        """Ranks a batch among the videos so far; values stay on the features' device."""
        columns = Layout.of(features, features).flatten(features)
        found = Extremes.of(columns, videos, self.clips)
        known = self.top_clips
        self.top_clips = TopClips(view, known.extremes.merge(found) if known else found)

    @property
    def model(self) -> nn.Module:
        """What runs: the network, or a copy of it."""
        return self.forwards.model

    def _read(self, inputs: list[torch.Tensor]) -> Features:
        model = self.model
        with evaluating(model), self.forwards.arithmetic(), tapped(model, self.taps) as features:
            self.forwards(inputs)
        return dict(features)

    def _run(
        self, views: Views, features: Features
    ) -> tuple[dict[str, Features], torch.Tensor | None]:
        """Returns {view: features}, and the scores of the first view."""
        by_view: dict[str, Features] = {}
        scores = None
        sources = {source for source, _ in views.reordered.values()} if self.reused else set()
        replay = Replay(self.model, self.reused)
        for view, inputs in views.inputs.items():
            if view in sources:
                with replay.recording():
                    output = self.forwards(inputs)
            elif self.reused and view in views.reordered:
                orders = views.reordered[view][1].to(self.forwards.device)
                with replay.playing(functools.partial(self._reordered, orders=orders)):
                    output = self.forwards(inputs)
                self._check(inputs, dict(features), features)
            else:
                output = self.forwards(inputs)
            if not by_view:
                scores = self._scores(output)
            by_view[view] = dict(features)
        return by_view, scores

    def _reordered(self, x: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
        return self.forwards.laid_out(reorder(x, orders))

    def _scores(self, output: Any) -> torch.Tensor | None:
        """Returns class scores (B, classes), if the network gives any."""
        scores = self.forwards.family.scores(output)
        good = isinstance(scores, torch.Tensor) and scores.ndim == 2 and scores.shape[1] > 1
        return scores if good else None

    def _compare(
        self, original: torch.Tensor | None, styled: torch.Tensor | None, rows: list[int]
    ) -> None:
        if original is not None and styled is not None:
            found = Recognition.of(original, styled[rows])
            self.recognition = self.recognition.merge(found)

    def _self_test(self, views: Views, by_view: dict[str, Features], features: Features) -> None:
        view, inputs = next(iter(views.inputs.items()))

        def run(x: list[torch.Tensor]) -> Features:
            self.forwards(x)
            return features

        self_test(run, inputs, by_view[view], exact=self.forwards.exact)

    def _check(self, inputs: list[torch.Tensor], reused: Features, features: Features) -> None:
        """Runs in full what was reused, on the first batch; switches reuse off if they differ.

        `features` holds the recomputed values afterwards.
        """
        if self._checked:
            return
        self.forwards(inputs)
        self._checked = True
        off = {
            layer: float((x - reused[layer]).abs().max() / x.abs().max().clamp(min=1e-20))
            for layer, x in features.items()
        }
        worst = max(off, key=lambda layer: math.inf if math.isnan(off[layer]) else off[layer])
        if not off[worst] <= 1e-5:  # NaN is a difference too
            log.warning(
                "stages %s are run in full: reused, they would change %s by %.1e",
                ", ".join(self.reused), worst, off[worst],
            )  # fmt: skip
            self.reused = []
