"""Responses: what a network makes of a scene, with its gradient if that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowfast_bias.bias.measure import evaluating
from slowfast_bias.bias.taps import Tap, tapped
from slowfast_bias.models.families import family_of

Scene = Sequence[Tensor]
Pack = Callable[[Scene], list[Tensor]]


class Response(NamedTuple):
    """What a network makes of B scenes.

    Attributes:
        features: {layer: (B, C)}, means over time and space.
        scores: (B, classes) probabilities; None for networks without classes.
    """

    features: dict[str, Tensor]
    scores: Tensor | None


class Responder:
    """A network with the layers that are read, and how it is given a scene.

    Attributes:
        model: the network; its mode and its weights are never changed.
        device: where it is.
    """

    def __init__(self, model: nn.Module, taps: Sequence[Tap], pack: Pack) -> None:
        """Keeps what is needed for a forward.

        Args:
            model: the network, not wrapped for several processes.
            taps: the layers.
            pack: from a scene to what the network is given, normalised, with the gradient.
        """
        self.model, self.taps, self.pack = model, list(taps), pack
        self.family = family_of(model)
        self.device = next(model.parameters()).device

    def __call__(self, scene: Scene) -> Response:
        """Returns the response to scenes, with its gradient if that is on."""
        gradient = torch.is_grad_enabled()
        with evaluating(self.model), tapped(self.model, self.taps, gradient=gradient) as features:
            features.clips = len(scene[0])
            with torch.autocast(self.device.type, enabled=False):
                output = self.family.call(self.model, self.pack(scene))
            return Response(dict(features), self._scores(output))

    def measure(self, scene: Scene, batch: int = 0) -> Response:
        """Returns the response without a gradient, `batch` scenes at a time; 0: all at once."""
        rows = len(scene[0])
        with torch.no_grad():
            parts = [
                self([x[start : start + (batch or rows)].to(self.device) for x in scene])
                for start in range(0, rows, batch or rows)
            ]
        return joined(parts)

    def _scores(self, output: Any) -> Tensor | None:
        scores = self.family.scores(output)
        good = isinstance(scores, Tensor) and scores.ndim == 2 and scores.shape[1] > 1
        return scores.float() if good else None


def joined(parts: Sequence[Response]) -> Response:
    """Returns the responses to several batches as one."""
    features = {name: torch.cat([x.features[name] for x in parts]) for name in parts[0].features}
    scores = None if parts[0].scores is None else torch.cat([x.scores for x in parts])
    return Response(features, scores)


@contextmanager
def without_weight_gradients(model: nn.Module) -> Iterator[None]:
    """Keeps autograd from the weights until the block ends; what each wanted is restored."""
    wanted = [(weight, weight.requires_grad) for weight in model.parameters()]
    try:
        for weight, _ in wanted:
            weight.requires_grad_(False)
        yield
    finally:
        for weight, want in wanted:
            weight.requires_grad_(want)


@contextmanager
def leaking(model: nn.Module, slope: float) -> Iterator[None]:
    """Gives every `nn.ReLU` of a network a slope below 0 until the block ends; 0: no change."""
    found = [x for x in model.modules() if isinstance(x, nn.ReLU)] if slope else []
    try:
        for module in found:
            module.forward = lambda x: nn.functional.leaky_relu(x, slope)
        yield
    finally:
        for module in found:
            module.__dict__.pop("forward", None)
