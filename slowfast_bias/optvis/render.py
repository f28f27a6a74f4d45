"""Render: the loop that makes scenes, several rows (speeds x seeds) at once.

A row follows from its seed and its speed alone: not from the rows beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from slowfast_bias.errors import LayerError
from slowfast_bias.optvis.objective import Target
from slowfast_bias.optvis.parameterisation import Canvas, Variables, generator_of
from slowfast_bias.optvis.responses import Responder, leaking, without_weight_gradients
from slowfast_bias.optvis.scenes import motion, roughness, shifted
from slowfast_bias.optvis.speeds import Speed

log = logging.getLogger(__name__)

_JITTER = 1  # tells these draws from others of one seed
LEAK, LEAKY_SHARE = 0.05, 0.1  # slope of rectifiers below 0, and for which share of the steps
RATES = {"fourier": 0.2, "pixels": 0.05}  # of Adam
TV = {"fourier": 0.0, "pixels": 0.05}

Bar = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True)
class Recipe:
    """How scenes are made.

    Attributes:
        steps: of Adam.
        kind: of the parameterisation.
        rate: of Adam; 0: that of the kind.
        jitter: pixels that a row is moved by at most, either way, anew in every step.
        tv: weight of spatial variation; None: that of the kind.
        motion: weight of change over time at chi 1.
    """

    steps: int = 400
    kind: str = "fourier"
    rate: float = 0.0
    jitter: int = 2
    tv: float | None = None
    motion: float = 0.05

    def penalty(self, scene: Sequence[Tensor], chi: Tensor) -> Tensor:
        """Returns (B,) what a scene costs, at the chi (B,) of its row."""
        tv = TV[self.kind] if self.tv is None else self.tv
        cost = self.motion * chi * motion(scene)
        return cost + tv * roughness(scene) if tv else cost


class Row(NamedTuple):
    """One scene that is made."""

    speed: Speed
    seed: int


class Made(NamedTuple):
    """What was made.

    Attributes:
        scene: of all rows, on the CPU.
        steps: how many were done.
        leaky: whether rectifiers leaked at the start, as there was no gradient.
        broken: whether it stopped at a number that is not finite; the scene is the last good one.
    """

    scene: list[Tensor]
    steps: int
    leaky: bool
    broken: bool


def maximise(
    responder: Responder,
    target: Target,
    rows: Sequence[Row],
    canvas: Canvas,
    recipe: Recipe,
    bar: Bar = iter,
) -> Made:
    """Returns scenes that `target` answers to; the network is as before.

    Args:
        responder: the network, with the target's layer among its taps.
        target: what rises.
        rows: the scenes that are made at once.
        canvas: their size.
        recipe: how.
        bar: shows the steps.
    """
    seeds, frozen = [row.seed for row in rows], [row.speed.frozen for row in rows]
    variables = Variables(canvas, seeds, frozen, recipe.kind, responder.device)
    chi = torch.tensor([row.speed.chi for row in rows], device=responder.device)
    jitters = {seed: generator_of(seed, _JITTER) for seed in seeds}
    optimiser = torch.optim.Adam(variables.tensors, recipe.rate or RATES[recipe.kind])
    good, done, leaky = variables.copy(), 0, False
    with without_weight_gradients(responder.model), torch.enable_grad():
        for step in bar(range(recipe.steps)):
            drawn = {seed: _draw(generator, recipe.jitter) for seed, generator in jitters.items()}
            shifts = [drawn[seed] for seed in seeds]

            def climb(leak: float, shifts: list[tuple[int, int]] = shifts) -> bool:
                optimiser.zero_grad()
                scene = variables.scene()
                with leaking(responder.model, leak):
                    rises = target.goal(responder(shifted(scene, shifts)))
                    _check_gradient(rises, target)
                    (rises - recipe.penalty(scene, chi)).sum().neg().backward()
                return _finite(rises, variables)

            fine = climb(LEAK if leaky and step < LEAKY_SHARE * recipe.steps else 0.0)
            if not step and fine and _is_flat(variables):
                leaky, fine = True, climb(LEAK)
            if not fine:
                variables.restore(good)
                break
            good, done = variables.copy(), step + 1
            optimiser.step()
    scene = _finite_scene(variables, good)
    return Made([x.detach().cpu() for x in scene], done, leaky, done < recipe.steps)


def _draw(generator: torch.Generator, most: int) -> tuple[int, int]:
    down, right = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    return down, right


def _check_gradient(rises: Tensor, target: Target) -> None:
    if not rises.requires_grad:
        raise LayerError(
            f"Expected layer {target.layer!r} to depend on the input with a gradient, but it has "
            "none: the network cuts it (detach, no_grad, whole numbers). Choose another layer."
        )


def _finite(rises: Tensor, variables: Variables) -> bool:
    values = [rises.detach(), *(x.grad for x in variables.tensors if x.grad is not None)]
    return all(bool(x.isfinite().all()) for x in values)


def _is_flat(variables: Variables) -> bool:
    """Returns whether a row has no gradient at all, in any stream."""
    sizes = [x.grad.abs().flatten(1).amax(1) for x in variables.tensors if x.grad is not None]
    return not sizes or bool((torch.stack(sizes).amax(0) == 0).any())


def _finite_scene(variables: Variables, good: Sequence[Tensor]) -> list[Tensor]:
    """Returns the scene of the last step, or of the one before if it is not finite."""
    with torch.no_grad():
        scene = variables.scene()
        if all(bool(x.isfinite().all()) for x in scene):
            return scene
        variables.restore(good)
        return variables.scene()
