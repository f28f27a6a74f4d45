"""Unit sets: which units are silenced together, in which order, and their accuracy curves.

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
from slowfast_bias.bias.intervals import effective_n, wilson
from slowfast_bias.seeding import seed_from

Curves = Mapping[str, list[dict[str, Any]]]  # {order: a point for each fraction}
Hits = Mapping[tuple[int, ...], torch.Tensor]  # {silenced units: whether videos are right (V,)}


class UnitSet(NamedTuple):
    """Units that are silenced together."""

    order: str  # "static" (the most static units first), "dynamic" or "random"
    seed: int | None  # of the random order
    fraction: float
    units: tuple[int, ...]


def plan_sets(cfg: CfgNode, report: BiasReport) -> list[UnitSet]:
    """Returns every order, seed and fraction of BIAS.ABLATION with the units that it silences."""
    options, channels = cfg.BIAS.ABLATION, report[cfg.BIAS.ABLATION.LAYER].channels
    sets = []
    for order in dict.fromkeys(options.FACTORS):
        seeds = dict.fromkeys(options.SEEDS) if order == "random" else (None,)
        for seed in seeds:
            ranked = unit_order(report, options.LAYER, order, seed)
            for fraction in sorted(set(options.FRACTIONS)):
                units = tuple(sorted(ranked[: round(fraction * channels)]))
                sets.append(UnitSet(order, seed, float(fraction), units))
    return sets


def unit_order(report: BiasReport, layer: str, order: str, seed: int | None = None) -> list[int]:
    """Returns all channels of `layer` in the order of silencing, dead ones last."""
    alive = rank_units(report, layer, order if order in FACTORS else FACTORS[0])
    if order not in FACTORS:
        generator = torch.Generator().manual_seed(seed_from(seed))
        alive = sorted(alive)
        alive = [alive[i] for i in torch.randperm(len(alive), generator=generator)]
    known = set(alive)
    return alive + [i for i in range(report[layer].channels) if i not in known]


def accuracy_curves(
    sets: Sequence[UnitSet], hits: Hits, recordings: torch.Tensor | None = None
) -> Curves:
    """Returns {order: a point for each fraction}, accuracies in percent.

    Args:
        sets: the sets of units.
        hits: {units: whether each video is right without them, (V,)}.
        recordings: (V,) what each video is cut from; None: each is a recording of its own.
    """
    found: dict[str, dict[float, list[UnitSet]]] = {}
    for chosen in sets:
        found.setdefault(chosen.order, {}).setdefault(chosen.fraction, []).append(chosen)
    return {
        order: [_point(fraction, members, hits, recordings) for fraction, members in points.items()]
        for order, points in found.items()
    }


def _point(
    fraction: float, sets: Sequence[UnitSet], hits: Hits, recordings: torch.Tensor | None
) -> dict[str, Any]:
    rights = torch.stack([hits[chosen.units].double() for chosen in sets])
    each = [100 * float(right.mean()) for right in rights]
    mean, independent = statistics.fmean(each), effective_n(rights.mean(0), recordings)
    point = {"fraction": fraction, "units": len(sets[0].units), "accuracy": mean}
    point |= {"effective_n": independent, "interval": wilson(mean / 100, independent)}
    if sets[0].order == "random":
        point |= {"spread": statistics.stdev(each) if len(each) > 1 else 0.0, "seeds": each}
    return point


def curve_table(curves: Curves) -> str:
    """Returns the accuracies as aligned text, a line per fraction."""
    lines = [f"{'fraction':>8} {'units':>6}" + "".join(f"{order:>26}" for order in curves)]
    for points in zip(*curves.values(), strict=True):
        line = f"{points[0]['fraction']:>8.2f} {points[0]['units']:>6}"
        for point in points:
            low, high = point["interval"]
            line += f"{point['accuracy']:>10.2f} [{low:5.1f}, {high:5.1f}]"
        lines.append(line)
    return "\n".join(lines)
