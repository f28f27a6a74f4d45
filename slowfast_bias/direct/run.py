"""One network under `measure`: its views, its forwards, and what its layers gave."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
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
from slowfast_bias.direct.calling import Calling, find_calling
from slowfast_bias.direct.layers import find_taps
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
        self.device = like(model).device if model is not None else torch.device("cpu")

    def pack(self, clips: Tensor) -> list[Tensor]:
        """Returns clips as a network gets them."""
        x = clips.to(self.device)
        return [normalised(x, self.mean, self.std) if self.normalise else x]

    def views(self, clips: Tensor, numbers: list[int]) -> Views:
        """Returns the views of clips (B, 3, T, H, W) in [0, 1]."""
        clips = clips.to(self.device)
        return static_dynamic(
            PairRequest(clips, numbers, self.pack, self.bank, self.seed, effect=self.effect)
        )

    def filmed(self, clips: Tensor, numbers: list[int], total: int) -> tuple[list[int], Tensor]:
        """Returns the rows of a batch that are shown as they were filmed too, and these clips.

        They are evenly spread over `total` clips; the first of all if it is 0, not known.
        """
        rows = [
            row
            for row, number in enumerate(numbers)
            if (chosen(number, total) if total else number < ENOUGH)
        ]
        return rows, self.pack(clips[rows])[0]

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
        self.clips, self.like = 0, like(model)

    @classmethod
    def begin(
        cls,
        model: nn.Module,
        clip: Tensor,
        layers: str | Tap | Iterable[str | Tap],
        layout: str | None,
        keyword: str | None,
    ) -> Run:
        """Returns the run of a network, which takes `clip` (1, 3, T, H, W) in some layout."""
        clip = clip.to(like(model))
        calling = find_calling(model, clip, layout, keyword)
        return cls(model, calling, find_taps(model, layers, lambda: calling(model, clip)))

    def add(
        self,
        views: Views,
        filmed: tuple[list[int], Tensor],
        numbers: list[int],
        recordings: list[int],
    ) -> None:
        """Runs the views of a batch, and some of its clips as they were filmed."""
        by_view, styled = {}, None
        with tapped(self.model, self.taps) as features:
            for view, (x,) in views.inputs.items():
                features.clips = len(x)
                output = self._forward(x)
                styled = self.calling.scores(output, len(x)) if not by_view else styled
                by_view[view] = dict(features)
            if not self.clips:
                self.axes = {layer: axes.words() for layer, axes in features.axes.items()}
                self._self_test(views, by_view, features)
        rows, clips = filmed
        if styled is not None and rows:
            scores = self.calling.scores(self._forward(clips), len(rows))
            if scores is not None:
                self.recognition = self.recognition.merge(Recognition.of(scores, styled[rows]))
        views.add_to(self.meter, by_view, numbers, recordings)
        self.clips += len(numbers)

    def _forward(self, clips: Tensor) -> Any:
        return self.calling(self.model, clips.to(self.like))

    def about(self) -> dict[str, Any]:
        """Returns what a report says of the network."""
        return {
            "model": type(self.model).__name__,
            "called": self.calling.words(),
            "pairs": self.meter.pairs(),
            "videos": self.clips,
            "layers_read": self.axes,
            "recognition": self.recognition.figures(),
            "torch": torch.__version__,
        }

    def _self_test(self, views: Views, by_view: dict, features: Any) -> None:
        view, (inputs,) = next(iter(views.inputs.items()))

        def run(x: Tensor) -> Mapping[str, Tensor]:
            features.clips = len(x)
            self._forward(x)
            return features

        self_test(run, inputs, by_view[view], self.like.dtype in (torch.float32, torch.float64))


def like(model: nn.Module) -> Tensor:
    """Returns a tensor of the device and type that a network computes in."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    return next((x for x in tensors if x.is_floating_point()), torch.empty(0))
