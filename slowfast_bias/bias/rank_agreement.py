"""How two rows of numbers, or two partitions of units, agree: Spearman, Kendall, Cohen's kappa."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Agreement:
    """How two rows of numbers agree.

    Attributes:
        spearman: correlation of the ranks, in [-1, 1]; NaN if all values of a row are equal.
        kendall: tau-b, from the pairs in the same order and those in the opposite order.
        n: numbers in a row; those that are NaN in one of the two are left out.
        change: largest difference.
    """

    spearman: float
    kendall: float
    n: int
    change: float

    @classmethod
    def of(cls, a: Sequence[float] | torch.Tensor, b: Sequence[float] | torch.Tensor) -> Agreement:
        """Returns the agreement of two rows of equally many numbers."""
        # values that differ only by rounding are a tie
        x, y = (torch.as_tensor(row, dtype=torch.float64).round(decimals=9) for row in (a, b))
        both = ~(x.isnan() | y.isnan())
        x, y = x[both], y[both]
        change = float((x - y).abs().max()) if len(x) else math.nan
        return cls(_correlation(_ranks(x), _ranks(y)), _tau(x, y), len(x), change)


@dataclass(frozen=True)
class KindAgreement:
    """How two partitions of the same units into kinds agree.

    Attributes:
        same: share of the units that are of one kind in both.
        chance: the share expected if the units of each kind were drawn anew in one of the two.
        kappa: Cohen's: 0 for chance, 1 for the same kinds; NaN if all units are of one kind in
            both, so that chance leaves nothing to agree on.
    """

    same: float
    chance: float
    kappa: float

    @classmethod
    def of(cls, a: Mapping[str, Sequence[int]], b: Mapping[str, Sequence[int]]) -> KindAgreement:
        """Returns the agreement of two partitions, {kind: units} with the same kinds."""
        units = sum(map(len, a.values()))
        same = sum(len(set(a[kind]) & set(b[kind])) for kind in a)
        alike = sum(len(a[kind]) * len(b[kind]) for kind in a)  # of units^2
        kappa = math.nan
        if alike < units**2:
            kappa = (same * units - alike) / (units**2 - alike)
        return cls(same / units, alike / units**2, kappa)


def _ranks(x: torch.Tensor) -> torch.Tensor:
    """Returns ranks from 0; equal values share their mean rank."""
    return (x[:, None] > x).sum(1).double() + ((x[:, None] == x).sum(1).double() - 1) / 2


def _correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    if len(x) < 2:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x.square().sum() * y.square().sum()).sqrt())


def _tau(x: torch.Tensor, y: torch.Tensor) -> float:
    signs = [(row[:, None] - row).sign() for row in (x, y)]
    pairs = [sign.square().sum() for sign in signs]
    return float((signs[0] * signs[1]).sum() / (pairs[0] * pairs[1]).sqrt())
