"""PairStats: the statistics of a set of pairs, channel by channel, as a small value that merges.

A pair is two inputs that share one factor. `a` and `b` are one layer's pooled features of the first
and second members, row by row the same pair. Shapes: B pairs, C channels, K folds.

    stats = PairStats.of(a, b)                     # (B, C) each
    stats = stats.merge(PairStats.of(a2, b2))      # an update is a merge of a batch's own
    stats.correlation()                            # (C,), NaN if the channel does not move

Everything is centred and float64 (Chan's merge): float32 sums of squares are wrong by a tenth at
mean / sd = 1000, which channels of a network can reach. Maths: docs/METHOD.md, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# A channel is dead if variance <= (RELATIVE * |mean|)**2 + ABSOLUTE: below float32 rounding.
RELATIVE, ABSOLUTE = 1e-6, 1e-20


@dataclass(frozen=True, eq=False)
class PairStats:
    """Sufficient statistics of pairs, per channel; one set (C,), or a stack of K sets (K, C).

    Attributes:
        n: number of pairs, () for one set and (K, 1) for a stack.
        mean_a: mean of the first members.
        mean_b: mean of the second members.
        m2_a: sum of squared deviations of the first members from their mean.
        m2_b: the same for the second members.
        c_ab: sum of products of the two deviations.
    """

    n: Tensor
    mean_a: Tensor
    mean_b: Tensor
    m2_a: Tensor
    m2_b: Tensor
    c_ab: Tensor

    @classmethod
    def empty(cls, *shape: int) -> PairStats:
        """Returns statistics of no pairs, shaped (C,) or (K, C): merging them changes nothing."""
        n = torch.zeros((*shape[:-1], 1) if len(shape) > 1 else (), dtype=torch.float64)
        return cls(n, *(torch.zeros(shape, dtype=torch.float64) for _ in range(5)))

    @classmethod
    def of(cls, a: Tensor, b: Tensor) -> PairStats:
        """Returns the statistics of one batch of pairs, (B, C) each."""
        groups = torch.zeros(len(a), dtype=torch.long, device=a.device)
        return cls.grouped(a, b, groups, 1).fold(0)

    @classmethod
    def grouped(cls, a: Tensor, b: Tensor, groups: Tensor, count: int) -> PairStats:
        """Returns a stack of statistics whose row k is `of` the pairs with groups == k.

        Args:
            a: (B, C) features of the first members.
            b: (B, C) features of the second members.
            groups: (B,) group of each pair, from 0 to count - 1.
            count: K, the number of groups.
        """
        _check(a, b)
        a, b = a.detach().double(), b.detach().double()
        # Sums by matrix product, in one fixed order: index_add is not reproducible on CUDA.
        member = (groups == torch.arange(count, device=a.device)[:, None]).double()  # (K, B)
        n = member.sum(1, keepdim=True)
        mean_a, mean_b = member @ a / n.clamp(min=1), member @ b / n.clamp(min=1)
        da, db = a - mean_a[groups], b - mean_b[groups]
        return cls(n, mean_a, mean_b, member @ (da * da), member @ (db * db), member @ (da * db))

    def merge(self, other: PairStats) -> PairStats:
        """Returns the statistics of both sets of pairs together; neither set is changed."""
        if self.mean_a.shape != other.mean_a.shape:
            raise ValueError(
                f"Expected statistics of the same shape, but got {tuple(self.mean_a.shape)} "
                f"and {tuple(other.mean_a.shape)}."
            )
        n = self.n + other.n
        share = other.n / n.clamp(min=1)  # 0 / 1 when both are empty
        da, db = other.mean_a - self.mean_a, other.mean_b - self.mean_b
        between = self.n * share
        return PairStats(
            n,
            self.mean_a + da * share,
            self.mean_b + db * share,
            self.m2_a + other.m2_a + da * da * between,
            self.m2_b + other.m2_b + db * db * between,
            self.c_ab + other.c_ab + da * db * between,
        )

    def dead(self) -> Tensor:
        """Returns a mask, True for channels that do not move in at least one of the two views."""
        n = self.n.clamp(min=1)
        return _flat(self.m2_a / n, self.mean_a) | _flat(self.m2_b / n, self.mean_b)

    def correlation(self) -> Tensor:
        """Returns the unit scores of METHOD eq. (2), Pearson's correlation, (C,); NaN if dead."""
        # The clamp removes rounding only: |r| <= 1 holds exactly for the true value.
        r = (self.c_ab / (self.m2_a.sqrt() * self.m2_b.sqrt())).clamp(-1, 1)
        return r.masked_fill(self.dead(), torch.nan)

    def pooled(self) -> Tensor:
        """Returns the unit scores of the `pooled` statistic, METHOD eq. (5), (C,); NaN if dead."""
        return (self.covariance() / self.spread()).masked_fill(self.dead(), torch.nan)

    def centre(self) -> Tensor:
        """Returns m_F, the mean of both views together."""
        return (self.mean_a + self.mean_b) / 2

    def covariance(self) -> Tensor:
        """Returns the covariance of the views about their common mean m_F."""
        return self.c_ab / self.n.clamp(min=1) - self._half_gap().square()

    def spread(self) -> Tensor:
        """Returns v_F, the variance of both views together."""
        return (self.m2_a + self.m2_b) / (2 * self.n.clamp(min=1)) + self._half_gap().square()

    def _half_gap(self) -> Tensor:
        return (self.mean_a - self.mean_b) / 2

    def map(self, change: Callable[[Tensor], Tensor]) -> PairStats:
        """Returns a copy with `change` applied to every field, n included."""
        return PairStats(*map(change, self.fields()))

    def fold(self, k: int) -> PairStats:
        """Returns row k of a stack."""
        row = self.map(lambda x: x[k])
        return PairStats(row.n[0], *row.fields()[1:])

    def channels(self, columns: slice) -> PairStats:
        """Returns the statistics of some of the channels."""
        return PairStats(self.n, *(x[..., columns] for x in self.fields()[1:]))

    def to(self, device: torch.device | str) -> PairStats:
        """Returns the statistics on `device`, without a copy if they are already there."""
        return self.map(lambda x: x.to(device))

    def fields(self) -> tuple[Tensor, ...]:
        """Returns the six tensors, n first, without copies."""
        return (self.n, self.mean_a, self.mean_b, self.m2_a, self.m2_b, self.c_ab)


def leave_one_out(folds: PairStats) -> tuple[PairStats, PairStats]:
    """Returns (all folds merged, a stack whose row k is all folds but k merged).

    Folds are merged from both ends: subtracting each from the total would lose precision.
    """
    rows = [folds.fold(k) for k in range(len(folds.n))]
    none = PairStats.empty(folds.mean_a.shape[1])
    before, after = _running(none, rows), _running(none, rows[::-1])[::-1]
    others = [left.merge(right) for left, right in zip(before[:-1], after[1:], strict=True)]
    n, *rest = (torch.stack(x) for x in zip(*(s.fields() for s in others), strict=True))
    return before[-1], PairStats(n[:, None], *rest)


def _running(start: PairStats, rows: Sequence[PairStats]) -> list[PairStats]:
    merged = [start]
    for row in rows:
        merged.append(merged[-1].merge(row))
    return merged


def _flat(variance: Tensor, mean: Tensor) -> Tensor:
    return variance <= (RELATIVE * mean).square() + ABSOLUTE


def _check(a: Tensor, b: Tensor) -> None:
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(
            "Expected `a` and `b` of the same shape (pairs, channels), "
            f"but got {tuple(a.shape)} and {tuple(b.shape)}."
        )
