"""One network under `measure`: its views, its forwards, and what its layers gave."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.bias import BiasMeter, Tap, tapped
from slowfast_bias.bias.recognition import ENOUGH, Recognition, chosen
from slowfast_bias.bias.self_test import self_test
from slowfast_bias.datasets.pairs.request import PairRequest, Views
from slowfast_bias.datasets.pairs.static_dynamic import static_dynamic
from slowfast_bias.datasets.sampling.crops import normalised
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.direct.calling import Calling
from slowfast_bias.errors import RequestError

_NUM, _BANK_SEED = 4, 0


class ViewMaker:
    """From clips to views on the network's device."""

    def __init__(
        self,
        model: nn.Module | None,
        mean: Sequence[float],
        std: Sequence[float],
        styles: Any,
        seed: int,
        effect: bool,
        normalise: bool = True,
    ) -> None:
        for name, values in (("mean", mean), ("std", std)):
            if len(values) != 3:
                raise RequestError(
                    f"Expected 3 numbers in `{name}`, one per colour, but got {len(values)}."
                )
        self.mean, self.std, self.seed, self.effect = list(mean), list(std), seed, effect
        if isinstance(styles, str):
            try:
                styles = make_styles(styles, _NUM, _BANK_SEED)
            except ValueError as error:
                raise RequestError(f"`styles`: {error}") from error
        self.bank = styles
        self.normalise = normalise
        tensors = () if model is None else itertools.chain(model.parameters(), model.buffers())
        self.like = next((x for x in tensors if x.is_floating_point()), torch.empty(0))

    def pack(self, clips: Tensor) -> list[Tensor]:
        """Returns clips as the network gets them."""
        x = clips.to(self.like.device)
        if self.normalise:
            x = normalised(x, self.mean, self.std)
        return [x.to(self.like.dtype)]

    def views(self, clips: Tensor, numbers: list[int]) -> Views:
        """Returns the views of clips (B, 3, T, H, W) in [0, 1]."""
        clips = clips.to(self.like.device)
        return static_dynamic(
            PairRequest(clips, numbers, self.pack, self.bank, self.seed, effect=self.effect)
        )

    def about(self) -> dict[str, Any]:
        """Returns what a report says of the views."""
        return {
            "styles": self.bank.about(),
            "seed": self.seed,
            "order": "clip",
            "mean": self.mean,
            "std": self.std,
        }


class Run:
    """One network, and what its layers gave for the views so far."""

    def __init__(self, model: nn.Module, calling: Calling, taps: list[Tap]) -> None:
        self.model, self.calling, self.taps = model, calling, taps
        self.meter, self.recognition = BiasMeter(taps), Recognition()
        self.axes: dict[str, str] = {}
        self.clips = 0

    def add(self, maker: ViewMaker, batch: tuple[Tensor, list[int], list[int]], total: int) -> None:
        """Runs the views of a batch, and some of its clips as they were filmed."""
        clips, numbers, recordings = batch
        views = maker.views(clips, numbers)
        by_view, styled = {}, None
        with tapped(self.model, self.taps) as features:
            for view, (x,) in views.inputs.items():
                features.clips = len(x)
                output = self.calling(self.model, x)
                styled = self.calling.scores(output, len(x)) if not by_view else styled
                by_view[view] = dict(features)
            if not self.clips:
                self.axes = {layer: axes.words() for layer, axes in features.axes.items()}
                self._self_test(views, by_view, features)
        rows = [
            row
            for row, number in enumerate(numbers)
            if (chosen(number, total) if total else number < ENOUGH)
        ]
        if styled is not None and rows:
            (filmed,) = maker.pack(clips[rows])
            scores = self.calling.scores(self.calling(self.model, filmed), len(rows))
            if scores is not None:
                self.recognition = self.recognition.merge(Recognition.of(scores, styled[rows]))
        views.add_to(self.meter, by_view, numbers, recordings)
        self.clips += len(numbers)

    def about(self) -> dict[str, Any]:
        """Returns what a report says of the network."""
        return {"layers_read": self.axes, "recognition": self.recognition.figures()}

    def _self_test(self, views: Views, by_view: dict, features: Any) -> None:
        view, (inputs,) = next(iter(views.inputs.items()))

        def run(x: Tensor) -> Mapping[str, Tensor]:
            features.clips = len(x)
            self.calling(self.model, x)
            return features

        self_test(run, inputs, by_view[view], inputs.dtype in (torch.float32, torch.float64))
