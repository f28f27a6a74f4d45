"""From PairStats to scores: layer scores, percent, unit kinds, and the jackknife error of each.

Every function takes statistics or scores with any leading shape (...), so that the estimate itself
and its K leave-one-fold-out replicates use the same code. Maths: docs/METHOD.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from slowfast_bias.bias.stats import PairStats

FACTORS = ("static", "dynamic")
STATISTICS = ("pearson", "pooled")
KINDS = ("static", "dynamic", "joint", "residual", "dead")


def unit_scores(stats: PairStats, statistic: str) -> Tensor:
    """Returns s_F of every unit, (..., C), NaN if it is dead."""
    check_statistic(statistic)
    return stats.correlation() if statistic == "pearson" else stats.pooled()


def layer_scores(stats: Mapping[str, PairStats], statistic: str) -> dict[str, Tensor]:
    """Returns S_F of one layer, {factor: (...)}, over its live units; NaN if none is live.

    A unit is live if it moves for `static` and for `dynamic`, so that both are means over the same
    units. Further factors are scored beside these two and never change them.
    """
    check_statistic(statistic)
    reference = [stats[f] for f in FACTORS if f in stats] or list(stats.values())
    live = ~torch.stack([s.dead() for s in reference]).any(0)
    if statistic == "pearson":
        means = {f: s.correlation().masked_fill(~live, torch.nan) for f, s in stats.items()}
        return {f: s.nanmean(-1) for f, s in means.items()}
    spread = (common_spread(reference) * live).sum(-1)
    return {f: (s.covariance() * live).sum(-1) / spread for f, s in stats.items()}


def common_spread(stats: list[PairStats]) -> Tensor:
    """Returns v_i, (..., C): the variance of both views of all the given factors concatenated."""
    nothing = torch.zeros((), dtype=torch.float64)
    n = sum((s.n for s in stats), nothing).clamp(min=1)
    centre = sum((s.n / n * s.centre() for s in stats), nothing)
    return sum((s.n / n * (s.spread() + (s.centre() - centre).square()) for s in stats), nothing)


def percent(static: Tensor, dynamic: Tensor) -> dict[str, Tensor]:
    """Returns METHOD eq. (1) in percent: a softmax over S_static, S_dynamic and S_identical = 1."""
    scores = torch.stack([static, dynamic, torch.ones_like(static)])
    shares = 100 * torch.softmax(scores, dim=0)
    return dict(zip((*FACTORS, "residual"), shares, strict=True))


def unit_kinds(static: Tensor, dynamic: Tensor, threshold: float) -> dict[str, Tensor]:
    """Returns METHOD eq. (3) as masks (..., C), one per kind; every unit has exactly one kind."""
    dead = static.isnan() | dynamic.isnan()
    is_static, is_dynamic = static > threshold, dynamic > threshold
    kinds = {
        "static": is_static & ~is_dynamic,
        "dynamic": is_dynamic & ~is_static,
        "joint": is_static & is_dynamic,
        "residual": ~is_static & ~is_dynamic,
    }
    return {kind: mask & ~dead for kind, mask in kinds.items()} | {"dead": dead}


def jackknife_error(replicates: Tensor) -> float:
    """Returns the standard error from leave-one-fold-out replicates (K,); NaN below two folds."""
    k = len(replicates)
    if k < 2:
        return float("nan")
    return ((k - 1) / k * (replicates - replicates.mean()).square().sum()).sqrt().item()


def layer_errors(others: Mapping[str, PairStats], statistic: str, threshold: float) -> dict:
    """Returns one layer's standard errors from its leave-one-fold-out stacks, as in the report.

    `percent` and `units` are there if both factors are, and are computed from `statistic`.
    """
    scores = {s: layer_scores(others, s) for s in STATISTICS}
    errors: dict = {f: jackknife_error(x) for f, x in scores["pearson"].items()}
    errors["pooled"] = {f: jackknife_error(x) for f, x in scores["pooled"].items()}
    if all(f in others for f in FACTORS):
        shares = percent(*(scores[statistic][f] for f in FACTORS))
        errors["percent"] = {k: jackknife_error(x) for k, x in shares.items()}
        static, dynamic = (unit_scores(others[f], statistic) for f in FACTORS)
        kinds = unit_kinds(static, dynamic, threshold)
        errors["units"] = {k: jackknife_error(x.double().sum(-1)) for k, x in kinds.items()}
    return errors


def check_statistic(statistic: str) -> None:
    """Raises ValueError unless `statistic` is one of the two."""
    if statistic not in STATISTICS:
        raise ValueError(f"Expected `statistic` to be one of {STATISTICS}, but got {statistic!r}.")
