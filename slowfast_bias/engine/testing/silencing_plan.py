"""Cuts: which units are silenced together, in which order, and what their accuracies add up to.

Units that are dead in the measurement go last, in the random order too: silencing them changes
nothing, so an order that began with them would look harmless.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias import FACTORS, BiasReport, rank_units
from slowfast_bias.datasets.loader import fold
from slowfast_bias.engine.testing.frame_orders import wilson

Hits = Mapping[tuple[int, ...], torch.Tensor]  # {silenced units: whether videos are right (V,)}


class Cut(NamedTuple):
    """Units that are silenced together."""

    order: str  # "static" (the most static units first), "dynamic" or "random"
    seed: int | None  # of the random order
    fraction: float
    units: tuple[int, ...]


def plan_cuts(cfg: CfgNode, report: BiasReport) -> list[Cut]:
    """Every order, seed and fraction of BIAS.ABLATION with the units that it silences."""
    options, channels = cfg.BIAS.ABLATION, report[cfg.BIAS.ABLATION.LAYER].channels
    cuts = []
    for order in dict.fromkeys(options.FACTORS):
        seeds = dict.fromkeys(options.SEEDS) if order == "random" else (None,)
        for seed in seeds:
            ranked = unit_order(report, options.LAYER, order, seed)
            for fraction in sorted(set(options.FRACTIONS)):
                units = tuple(sorted(ranked[: round(fraction * channels)]))
                cuts.append(Cut(order, seed, float(fraction), units))
    return cuts


def unit_order(report: BiasReport, layer: str, order: str, seed: int | None = None) -> list[int]:
    """All channels of ``layer`` in the order in which they are silenced, dead ones last."""
    alive = rank_units(report, layer, order if order in FACTORS else FACTORS[0])
    if order not in FACTORS:
        generator = torch.Generator().manual_seed(fold(seed))
        alive = sorted(alive)
        alive = [alive[i] for i in torch.randperm(len(alive), generator=generator)]
    known = set(alive)
    return alive + [i for i in range(report[layer].channels) if i not in known]


def curves(cuts: Sequence[Cut], hits: Hits) -> dict[str, list[dict[str, Any]]]:
    """{order: a point for each fraction}, accuracies in percent, of hits {units: (V,)}."""
    found: dict[str, dict[float, list[Cut]]] = {}
    for cut in cuts:
        found.setdefault(cut.order, {}).setdefault(cut.fraction, []).append(cut)
    return {
        order: [_point(fraction, members, hits) for fraction, members in points.items()]
        for order, points in found.items()
    }


def _point(fraction: float, cuts: Sequence[Cut], hits: Hits) -> dict[str, Any]:
    rights = [hits[cut.units].double() for cut in cuts]
    each = [100 * float(right.mean()) for right in rights]
    mean = statistics.fmean(each)
    point = {"fraction": fraction, "units": len(cuts[0].units), "accuracy": mean}
    point["interval"] = wilson(mean / 100, len(rights[0]))
    if cuts[0].order == "random":
        point |= {"spread": statistics.stdev(each) if len(each) > 1 else 0.0, "seeds": each}
    return point


def table(data: dict[str, Any]) -> str:
    """The accuracies as aligned text, a line per fraction."""
    orders = data["curves"]
    lines = [f"{'fraction':>8} {'units':>6}" + "".join(f"{order:>26}" for order in orders)]
    for points in zip(*orders.values(), strict=True):
        line = f"{points[0]['fraction']:>8.2f} {points[0]['units']:>6}"
        for point in points:
            low, high = point["interval"]
            line += f"{point['accuracy']:>10.2f} [{low:5.1f}, {high:5.1f}]"
        lines.append(line)
    return "\n".join(lines)
