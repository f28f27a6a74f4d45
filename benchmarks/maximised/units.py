"""Motion need of single units, against the score that was measured on natural clips."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from benchmarks.maximised.networks import (
    FREE,
    FROZEN,
    TOY,
    Many,
    Network,
    natural_features,
    network,
)
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.optvis import Recipe, Row, maximise, quantised

AT_ONCE = 16  # units whose clips are made together


def units(out: str, first: int, layer: str = "s5", number: int = 256, steps: int = 60) -> None:
    """Prints how motion need goes with the motion-only score over units of a layer."""
    print(f"motion need against motion-only over units of {layer}")
    for name, trained in (("both, trained", True), ("both, untrained", False)):
        source = network("both", first, out, trained)
        score, chosen = units_of(source, layer, number)
        need = needs(source, layer, chosen, steps)
        good = ~need.isnan()
        x, y = score[good].numpy(), need[good].numpy()
        third = len(x) // 3
        low, high = np.median(y[np.argsort(x)[:third]]), np.median(y[np.argsort(x)[-third:]])
        print(
            f"  {name}: {len(x)} units, rank correlation {rank_correlation(x, y):.2f} "
            f"[{', '.join(f'{v:.2f}' for v in resampled(x, y))}], median need of the third with "
            f"least motion {low:.2f}, with most {high:.2f}; scores from {x.min():.2f} to "
            f"{x.max():.2f}",
            flush=True,
        )


def units_of(source: Network, layer: str, number: int) -> tuple[Tensor, Tensor]:
    """Returns the motion-only scores and the numbers of units, evenly spread by that score."""
    report = measure_networks(source.cfg, {"trained": source.model}, "")["trained"]
    score = report[layer].unit_scores("motion")
    alive = (~score.isnan()).nonzero().flatten()
    order = alive[score[alive].argsort()]
    chosen = order[torch.linspace(0, len(order) - 1, min(number, len(order))).long()]
    return score[chosen], chosen


def needs(source: Network, layer: str, chosen: Tensor, steps: int) -> Tensor:
    """Returns the motion need of each unit, some at once."""
    return torch.cat([needs_of(source, layer, x, steps) for x in chosen.split(AT_ONCE)])


def needs_of(source: Network, layer: str, chosen: Tensor, steps: int, seeds: int = 2) -> Tensor:
    """Returns the motion need of each unit, its free and frozen clips averaged over seeds."""
    natural = natural_features(source, layer)[:, chosen]
    rows = [Row(speed, seed) for speed in (FREE, FROZEN) for seed in range(seeds) for _ in chosen]
    repeat = chosen.repeat(2 * seeds)
    scales = natural.abs().amax(0).clamp(min=1e-6).repeat(2 * seeds)
    target = Many(repeat, scales, layer)
    responder = source.responder(layer)
    made = maximise(responder, target, rows, TOY, Recipe(steps=steps))
    reached = target.value(responder.measure(quantised(made.scene)))
    free, frozen = reached.view(2, seeds, len(chosen)).mean(1)
    gain = free - natural.mean(0)
    return torch.where(gain > 0, 1 - (frozen - natural.mean(0)) / gain, math.nan)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Returns Spearman's correlation."""
    ranks = [np.argsort(np.argsort(values)) for values in (x, y)]
    return float(np.corrcoef(*ranks)[0, 1])


def resampled(x: np.ndarray, y: np.ndarray, times: int = 2000) -> tuple[float, float]:
    """Returns the 95 % interval of the correlation, by a bootstrap over units."""
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(x), (times, len(x)))
    low, high = np.percentile([rank_correlation(x[d], y[d]) for d in draws], (2.5, 97.5))
    return float(low), float(high)
