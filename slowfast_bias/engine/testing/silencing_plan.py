"""Unit sets: which units are silenced together, in which order, and the curves of their scores.

Units that are dead in the measurement go last, in the random order too: silencing them changes
nothing, so an order that began with them would look harmless.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias import FACTORS, BiasReport, LayerBias, rank_units
from slowfast_bias.bias.intervals import effective_n, wilson
from slowfast_bias.bias.paired import mean_interval
from slowfast_bias.seeding import seed_from

Curves = Mapping[str, list[dict[str, Any]]]  # {order: a point for each fraction}
Hits = Mapping[tuple[int, ...], torch.Tensor]  # {silenced units: whether videos are right (V,)}
ACCURACY = "accuracy"
LEAST_BIASED = "least_biased"  # of BIAS.ABLATION.RANDOM_FROM
MARGIN = 0.05  # of all units: the paper draws x % from x + 5 %


class UnitSet(NamedTuple):
    """Units that are silenced together."""

    order: str  # "static" (the most static units first), "dynamic" or "random"
    seed: int | None  # of the random order
    fraction: float
    units: tuple[int, ...]


def plan_sets(cfg: CfgNode, report: BiasReport, layer: str) -> list[UnitSet]:
    """Returns every order, seed and fraction of BIAS.ABLATION with the units that it silences."""
    options, channels = cfg.BIAS.ABLATION, report[layer].channels
    restricted = options.RANDOM_FROM == LEAST_BIASED
    sets = []
    for order in dict.fromkeys(options.FACTORS):
        seeds = dict.fromkeys(options.SEEDS) if order == "random" else (None,)
        for seed in seeds:
            ranked = unit_order(report, layer, order, seed)
            for fraction in sorted(set(options.FRACTIONS)):
                units = ranked[: round(fraction * channels)]
                if order == "random" and restricted:
                    units = least_biased_units(report, layer, fraction, seed)
                sets.append(UnitSet(order, seed, float(fraction), tuple(sorted(units))))
    return sets


def unit_order(report: BiasReport, layer: str, order: str, seed: int | None = None) -> list[int]:
    """Returns all channels of `layer` in the order of silencing, dead ones last."""
    alive = rank_units(report, layer, order if order in FACTORS else FACTORS[0])
    if order not in FACTORS:
        alive = _shuffled(sorted(alive), seed)
    return alive + _dead(report, layer, alive)


def least_biased_units(
    report: BiasReport, layer: str, fraction: float, seed: int | None
) -> list[int]:
    """Returns a share of the units at random, of those least biased to the dominant factor.

    They are drawn from a share that is larger by MARGIN, as the paper does, so that an extreme kind
    of unit is not among them. Dead units are in it only if there are too few others.
    """
    alive = rank_units(report, layer, dominant(report[layer]))[::-1]
    least = alive + _dead(report, layer, alive)
    pool = least[: round(min(fraction + MARGIN, 1) * len(least))]
    return _shuffled(sorted(pool), seed)[: round(fraction * len(least))]


def dominant(layer: LayerBias) -> str:
    """Returns the factor, "static" or "dynamic", that a layer has the larger share of."""
    shares = layer.percent()
    return max(FACTORS, key=lambda factor: shares[factor])


def _dead(report: BiasReport, layer: str, alive: Sequence[int]) -> list[int]:
    known = set(alive)
    return [i for i in range(report[layer].channels) if i not in known]


def _shuffled(units: Sequence[int], seed: int | None) -> list[int]:
    generator = torch.Generator().manual_seed(seed_from(seed))
    return [units[i] for i in torch.randperm(len(units), generator=generator)]


def accuracy_curves(
    sets: Sequence[UnitSet], hits: Hits, recordings: torch.Tensor | None = None
) -> Curves:
    """Returns {order: a point for each fraction}, accuracies in percent.

    Args:
        sets: the sets of units.
        hits: {units: whether each video is right without them, (V,)}.
        recordings: (V,) what each video is cut from; None: each is a recording of its own.
    """

    def interval(rights: torch.Tensor, mean: float) -> dict[str, Any]:
        count = effective_n(rights, recordings)
        return {"effective_n": count, "interval": wilson(mean / 100, count)}

    return _curves(sets, hits, ACCURACY, interval)


def overlap_curves(sets: Sequence[UnitSet], overlaps: Hits, score: str) -> Curves:
    """Returns {order: a point for each fraction}, mean overlaps in percent.

    Args:
        sets: the sets of units.
        overlaps: {units: the mean overlap of each sequence without them, (S,), 0 to 1}.
        score: its name, "J" or "mIoU".
    """

    def interval(values: torch.Tensor, mean: float) -> dict[str, Any]:
        return {"sequences": len(values), "interval": mean_interval(100 * values, 0)}

    return _curves(sets, overlaps, score, interval)


def _curves(sets: Sequence[UnitSet], values: Hits, score: str, interval: Any) -> Curves:
    found: dict[str, dict[float, list[UnitSet]]] = {}
    for chosen in sets:
        found.setdefault(chosen.order, {}).setdefault(chosen.fraction, []).append(chosen)
    return {
        order: [_point(fraction, x, values, score, interval) for fraction, x in points.items()]
        for order, points in found.items()
    }


def _point(
    fraction: float, sets: Sequence[UnitSet], values: Hits, score: str, interval: Any
) -> dict[str, Any]:
    rights = torch.stack([values[chosen.units].double() for chosen in sets])
    each = [100 * float(right.mean()) for right in rights]
    mean = statistics.fmean(each)
    point = {"fraction": fraction, "units": len(sets[0].units), score: mean}
    point |= interval(rights.mean(0), mean)
    if sets[0].order == "random":
        point |= {"spread": statistics.stdev(each) if len(each) > 1 else 0.0, "seeds": each}
    return point


def curve_table(curves: Curves, score: str = ACCURACY) -> str:
    """Returns the scores as aligned text, a line per fraction."""
    lines = [f"{'fraction':>8} {'units':>6}" + "".join(f"{order:>26}" for order in curves)]
    for points in zip(*curves.values(), strict=True):
        line = f"{points[0]['fraction']:>8.2f} {points[0]['units']:>6}"
        for point in points:
            low, high = point["interval"]
            line += f"{point[score]:>10.2f} [{low:5.1f}, {high:5.1f}]"
        lines.append(line)
    return "\n".join(lines)
