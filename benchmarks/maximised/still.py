"""Networks and clips without motion: one that sees frame by frame, and images that are repeated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.maximised.networks import (
    FREE,
    FROZEN,
    SEEDS,
    TOY,
    Many,
    Network,
    natural_features,
    natural_scene,
    network,
)
from benchmarks.maximised.units import needs
from slowfast_bias.bias.measure import evaluating
from slowfast_bias.bias.taps import tapped, whole
from slowfast_bias.engine.maximising.packing import packing
from slowfast_bias.models.families.family import call_with_list
from slowfast_bias.optvis import Recipe, Response, Row, maximise, quantised


def flat(out: str, first: int) -> None:
    """Prints what the order of frames changes for a network that sees them one by one."""
    source = network("flat", first, out, trained=False)
    responder = source.responder("s4")
    largest = natural_features(source, "s4", 32).amax(0)
    chosen = largest.argsort(descending=True)[:4]
    target = Many(chosen, largest[chosen], "s4")
    rows = [Row(FREE, seed) for seed in range(len(chosen))]
    scene = quantised(maximise(responder, target, rows, TOY, Recipe(steps=30)).scene)
    order = torch.tensor([3, 0, 7, 4, 1, 6, 2, 5])
    with torch.no_grad(), evaluating(source.model), tapped(source.model, ["s4"], whole) as maps:
        pack = packing(source.cfg, source.model)
        call_with_list(source.model, pack(scene))
        before = maps["s4"]
        call_with_list(source.model, pack([scene[0][:, :, order]]))
        same = torch.equal(maps["s4"], before[:, :, order])
    print(f"2D network: frames in another order give the same maps in that order, exactly: {same}")
    need = needs(source, "s4", chosen, 60)
    print(f"2D network: motion need of {len(need)} units {[f'{x:.2f}' for x in need.tolist()]}")


@dataclass(frozen=True)
class Logit:
    """A class by its logit, which has no cap, in units of its largest natural one."""

    unit: int
    scale: float
    layer: str = "head"

    def of_rows(self, rows: list[int]) -> Logit:
        """Returns itself."""
        return self

    def value(self, response: Response) -> Tensor:
        """Returns (B,) the logit, less a number that all classes share."""
        return centred(response.scores)[:, self.unit]

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) what rises."""
        return self.value(response) / self.scale


def centred(scores: Tensor) -> Tensor:
    """Returns logits (B, classes) of mean 0 from probabilities."""
    logits = scores.clamp(min=1e-30).log()
    return logits - logits.mean(1, keepdim=True)


def frozen(out: str, first: int) -> None:
    """Prints how far logits rise with one repeated image, and with clips that are free."""
    print("| network | logit, free, over the largest natural | frozen | motion need |")
    print("|---|---:|---:|---:|")
    for kind in ("motion", "texture"):
        for number in range(first, first + 3):
            frozen_row(f"{kind} {number}", network(kind, number, out))


def frozen_row(name: str, source: Network) -> None:
    """Prints a row of the table of frozen images: the mean over classes and starts."""
    found = []
    for number in range(source.cfg.MODEL.NUM_CLASSES):
        responder = source.responder()
        natural = centred(responder.measure(natural_scene(source), 32).scores)[:, number]
        target = Logit(number, float(natural.max()))
        rows = [Row(speed, seed) for speed in (FREE, FROZEN) for seed in SEEDS]
        scene = quantised(maximise(responder, target, rows, TOY, Recipe(steps=100)).scene)
        free, still = target.value(responder.measure(scene)).view(2, -1).mean(1).tolist()
        mean = float(natural.mean())
        found.append((free / target.scale, still / target.scale, (still - mean) / (free - mean)))
    free, still, kept = np.mean(found, 0)
    print(f"| {name} | {free:.2f} | {still:.2f} | {1 - kept:.2f} |", flush=True)
