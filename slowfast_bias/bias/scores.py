"""From PairStats to scores: of units and layers, their contrasts, percent, and unit kinds.

Every function takes statistics or scores with any leading shape (...), so that the estimate itself
and its K leave-one-fold-out replicates use the same code. Maths: docs/METHOD.md.

A contrast is the difference of two factors' scores. Pairs called "neither" share neither look nor
motion: their score is content, what survives both changes, and the rest is what is left beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from slowfast_bias.bias.stats import PairStats

FACTORS = ("static", "dynamic")
NEITHER = "neither"
CONTRASTS = {  # name -> the factor, and the one that is subtracted
    "motion": ("dynamic", NEITHER),
    "look": ("static", NEITHER),
    "content": (NEITHER,),
}
HEADLINE = ("static", "motion", "content")  # what tables and figures show first
EFFECT = "effect"  # pairs of differences: what the order of the frames changes, in two looks
ORDER_FIGURES = ("order_share", "order_agreement")
STATISTICS = ("pearson", "pooled")
KINDS = ("static", "dynamic", "joint", "residual", "dead")
_NO_ORDER = 1e-10  # a share of the variance below it is rounding: (1e-5)^2


def unit_scores(stats: PairStats, statistic: str) -> Tensor:
    """Returns s_F of every unit, (..., C), NaN if it is dead."""
    check_statistic(statistic)
    return stats.correlation() if statistic == "pearson" else stats.pooled()


def contrasts(scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns {contrast: difference} of the scores of factors; none that lacks one of its two."""
    return {
        name: scores[first] - scores[rest[0]] if rest else scores[first]
        for name, (first, *rest) in CONTRASTS.items()
        if all(factor in scores for factor in (first, *rest))
    }


def order_figures(stats: Mapping[str, PairStats]) -> dict[str, Tensor]:
    """Returns {"order_share", "order_agreement"} of every unit, (..., C); {} without the pairs.

    The share of a unit's variance that the order of the frames changes, from 0 to 1 if the views
    are alike; and the correlation of that change over two looks, NaN if there is none.
    """
    if EFFECT not in stats or "static" not in stats:
        return {}
    static, effect = stats["static"], stats[EFFECT]
    both = static.m2_a + static.m2_b
    share = (1 - 2 * static.c_ab / both).clamp(min=0).masked_fill(static.dead(), torch.nan)
    none = ~(share > _NO_ORDER)
    return dict(
        zip(ORDER_FIGURES, (share, effect.correlation().masked_fill(none, torch.nan)), strict=True)
    )


def layer_scores(stats: Mapping[str, PairStats], statistic: str) -> dict[str, Tensor]:
    """Returns S_F of one layer, {factor: (...)}, over its live units; NaN if none is live.

    A unit is live if it moves for `static` and for `dynamic`, so that both are means over the same
    units. Further factors are scored beside these two and never change them; contrasts and figures
    of the order are added.
    """
    check_statistic(statistic)
    order = order_figures(stats)
    stats = {factor: x for factor, x in stats.items() if factor != EFFECT}
    reference = [stats[f] for f in FACTORS if f in stats] or list(stats.values())
    live = ~torch.stack([s.dead() for s in reference]).any(0)
    if statistic == "pearson":
        units = {f: s.correlation() for f, s in stats.items()}
        means = {f: x.masked_fill(~live, torch.nan).nanmean(-1) for f, x in units.items()}
    else:
        spread = (common_spread(reference) * live).sum(-1)
        means = {f: (s.covariance() * live).sum(-1) / spread for f, s in stats.items()}
    means |= contrasts(means)
    return means | {f: x.masked_fill(~live, torch.nan).nanmean(-1) for f, x in order.items()}


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


def check_statistic(statistic: str) -> None:
    """Raises ValueError unless `statistic` is one of the two."""
    if statistic not in STATISTICS:
        raise ValueError(f"Expected `statistic` to be one of {STATISTICS}, but got {statistic!r}.")
