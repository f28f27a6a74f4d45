"""Render: the loop that makes scenes, several rows (speeds x seeds) at once.

A row follows from its seed and its speed alone, not from the rows beside it, until one of them is
not finite: then all stop.
"""

from __future__ import annotations

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

_JITTER = 1  # tells these draws from others of one seed
LEAK, LEAKY_SHARE = 0.05, 0.1  # slope of rectifiers below 0, and for which share of the steps
# Adam would follow a direction that changes next to nothing as fast as any other: pictures would
# fill with noise, and the flow of a unit of appearance would move. Below a row's usual gradient a
# step is as small as its gradient is.
USUAL = 1.0
RATES = {"fourier": 0.1, "pixels": 0.05}  # of Adam
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

    steps: int = 100
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
        leaky: of each row, whether rectifiers leaked at its start, as there was no gradient.
        broken: of each row, whether it stopped at a number that is not finite, its own or another
            row's; its scene is the last good one.
    """

    scene: list[Tensor]
    leaky: list[bool]
    broken: list[bool]


def maximise(
    responder: Responder,
    target: Target,
    rows: Sequence[Row],
    canvas: Canvas,
    recipe: Recipe,
    bar: Bar = iter,
) -> Made:
    """Returns scenes that `target` answers to; the network is as before.

    Rows without any gradient at the start are made apart: all rectifiers leak in their first steps.

    Args:
        responder: the network, with the target's layer among its taps.
        target: what rises.
        rows: the scenes.
        canvas: their size.
        recipe: how.
        bar: shows the steps.
    """
    with without_weight_gradients(responder.model), torch.enable_grad():
        start = _Climb(responder, target, rows, canvas, recipe)
        leaky = start.without_gradient() if recipe.steps else [False] * len(rows)
        order = sorted(range(len(rows)), key=lambda k: leaky[k])
        groups = [[k for k in order if leaky[k] == leaks] for leaks in (False, True)]
        parts = []
        for leaks, group in zip((False, True), groups, strict=True):
            if group:
                some, own = [rows[k] for k in group], target.of_rows(group)
                climb = _Climb(responder, own, some, canvas, recipe)
                parts.append(climb.run(LEAK if leaks else 0.0, bar))
    back = torch.tensor(order).argsort()
    scene = [torch.cat(xs)[back] for xs in zip(*(part for part, _ in parts), strict=True)]
    broken = [broke for (_, broke), group in zip(parts, filter(None, groups), strict=True)
              for _ in group]  # fmt: skip
    return Made(scene, leaky, [broken[k] for k in back.tolist()])


class _Climb:
    """The loop of some rows."""

    def __init__(
        self,
        responder: Responder,
        target: Target,
        rows: Sequence[Row],
        canvas: Canvas,
        recipe: Recipe,
    ) -> None:
        self.responder, self.target, self.recipe = responder, target, recipe
        self.seeds, device = [row.seed for row in rows], responder.device
        frozen = [row.speed.frozen for row in rows]
        self.variables = Variables(canvas, self.seeds, frozen, recipe.kind, device)
        self.chi = torch.tensor([row.speed.chi for row in rows], device=device)
        self.jitters = {seed: generator_of(seed, _JITTER) for seed in self.seeds}

    def without_gradient(self) -> list[bool]:
        """Returns (B,) whether a row has no gradient at all at its start, in any stream."""
        self._backward(0.0)
        found = [x.grad for x in self.variables.tensors if x.grad is not None]
        sizes = [x.abs().flatten(1).amax(1) for x in found]
        return (torch.stack(sizes).amax(0) == 0).tolist()

    def run(self, leak: float, bar: Bar) -> tuple[list[Tensor], bool]:
        """Returns the scene, and whether it stopped at a number that is not finite."""
        variables, steps = self.variables, self.recipe.steps
        rate = self.recipe.rate or RATES[self.recipe.kind]
        optimiser = torch.optim.Adam(variables.tensors, rate, eps=USUAL)
        good, broken = variables.copy(), False
        for step in bar(range(steps)):
            rises = self._backward(leak if step < LEAKY_SHARE * steps else 0.0)
            if not _finite(rises, variables):
                broken = True
                break
            good = variables.copy()
            variables.balance_gradients()
            optimiser.step()
        return self._scene(good, broken), broken

    def _backward(self, leak: float) -> Tensor:
        """Computes the gradients of one step; returns (B,) what rises."""
        drawn = {seed: _draw(x, self.recipe.jitter) for seed, x in self.jitters.items()}
        for x in self.variables.tensors:
            x.grad = None
        scene = self.variables.scene()
        with leaking(self.responder.model, leak):
            moved = shifted(scene, [drawn[seed] for seed in self.seeds])
            rises = self.target.goal(self.responder(moved))
            _check_gradient(rises, self.target)
            (rises - self.recipe.penalty(scene, self.chi)).sum().neg().backward()
        return rises.detach()

    def _scene(self, good: Sequence[Tensor], broken: bool) -> list[Tensor]:
        """Returns the scene as it is now, or the last good one if it is not finite."""
        if broken:
            self.variables.restore(good)
        with torch.no_grad():
            scene = self.variables.scene()
            if not all(bool(x.isfinite().all()) for x in scene):
                self.variables.restore(good)
                scene = self.variables.scene()
            return [x.cpu() for x in scene]


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
    values = [rises, *(x.grad for x in variables.tensors if x.grad is not None)]
    return all(bool(x.isfinite().all()) for x in values)
