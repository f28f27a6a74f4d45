"""LayerBias: what the pairs said about one layer and its units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.bias.scores import (
    FACTORS,
    HEADLINE,
    ORDER_FIGURES,
    check_statistic,
    contrasts,
    percent,
    unit_kinds,
)

SCORES = (*HEADLINE, "dynamic", "look", *ORDER_FIGURES)  # as tables and files order them
_ZERO = 1e-6  # a score this near to 0 or 1 is rounding


@dataclass(frozen=True, eq=False)
class LayerBias:
    """One layer: its units' scores, its own scores, and their standard errors.

    Where a method takes `statistic` or `threshold`, None means those the report was computed with.

    Attributes:
        pairs: {factor: number of pairs}.
        correlation: {factor: (C,)} unit scores s_F of METHOD eq. (2), NaN where dead.
        pooled: {factor: (C,)} unit scores of the `pooled` statistic, NaN where dead.
        scores: {"pearson": {score: S}, "pooled": {score: S}}, of factors and their contrasts.
        stderr: standard errors: {score: x, "pooled": {score: x}, "percent": {...}, "units": {}}.
        statistic: "pearson" or "pooled", the one percents and kinds speak of.
        threshold: unit score above which a unit encodes a factor.
        order: {"order_share", "order_agreement"} of every unit, (C,), with pairs "effect".
        replicates: {statistic: {score: (K,)}} without one fold of the videos at a time.
    """

    pairs: dict[str, int]
    correlation: dict[str, Tensor]
    pooled: dict[str, Tensor]
    scores: dict[str, dict[str, float]]
    stderr: dict[str, Any]
    statistic: str = "pearson"
    threshold: float = 0.5
    order: dict[str, Tensor] = field(default_factory=dict)
    replicates: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """C, the number of units, dead ones included."""
        return len(next(iter(self.correlation.values())))

    @property
    def complete(self) -> bool:
        """Whether both static and dynamic pairs were measured."""
        return all(factor in self.correlation for factor in FACTORS)

    @property
    def measured(self) -> list[str]:
        """The scores there are, of SCORES: those of "motion" and "look" need pairs "neither"."""
        return [name for name in SCORES if name in self.scores.get("pearson", ())]

    @property
    def frame_wise(self) -> bool:
        """Whether the layer sees frames one by one: no order of the frames changes anything."""
        if "motion" not in self.scores["pearson"]:
            return False
        motion = (self.score("motion", "pearson"), self.score_error("motion", "pearson"))
        static = self.score("static", "pearson")
        return all(abs(x) < _ZERO for x in (static - 1, *motion))

    def unit_scores(self, score: str, statistic: str | None = None) -> Tensor:
        """Returns a score of every unit, (C,), NaN where dead.

        Args:
            score: a factor that was measured, or "motion", "look", "content", "order_share",
                "order_agreement".
            statistic: "pearson" or "pooled".
        """
        statistic = self._statistic(score, statistic)
        factors = self.correlation if statistic == "pearson" else self.pooled
        return {**self.order, **contrasts(factors), **factors}[score]

    def score(self, score: str, statistic: str | None = None) -> float:
        """Returns the layer's score, a mean over units; NaN when every unit is dead."""
        return self.scores[self._statistic(score, statistic)][score]

    def score_error(self, score: str, statistic: str | None = None) -> float:
        """Returns the standard error of `score`."""
        pooled = self._statistic(score, statistic) == "pooled"
        return (self.stderr["pooled"] if pooled else self.stderr)[score]

    def percent(self, statistic: str | None = None) -> dict[str, float]:
        """Returns {"static", "dynamic", "residual"}: METHOD eq. (1), a softmax, in percent."""
        scores = (torch.tensor(self.score(f, statistic), dtype=torch.float64) for f in FACTORS)
        return {kind: share.item() for kind, share in percent(*scores).items()}

    def units(
        self, threshold: float | None = None, statistic: str | None = None
    ) -> dict[str, list[int]]:
        """Returns channel indices by kind, METHOD eq. (3): a partition of all channels."""
        threshold = self.threshold if threshold is None else threshold
        static, dynamic = (self.unit_scores(f, statistic) for f in FACTORS)
        kinds = unit_kinds(static, dynamic, threshold)
        return {kind: mask.nonzero().flatten().tolist() for kind, mask in kinds.items()}

    def _statistic(self, score: str, statistic: str | None) -> str:
        if score not in self.correlation and score not in self.measured:
            raise ValueError(
                f"Expected pairs of factor {score!r}, but only {list(self.correlation)} were "
                "measured (percents and unit kinds need static and dynamic; motion and look need "
                "neither too)."
            )
        check_statistic(statistic or self.statistic)
        return statistic or self.statistic

    def figures(self) -> dict[str, float]:
        """Returns the layer in flat numbers: scores with errors, shares in percent, unit counts."""
        figures: dict[str, float] = {}
        for name in self.scores["pearson"]:
            key = f"S_{name}" if name in self.correlation else name
            figures[key] = self.score(name)
            figures[f"{key}_se"] = self.score_error(name)
        if self.complete:
            figures |= {f"{kind}_percent": share for kind, share in self.percent().items()}
            figures |= {f"{kind}_units": len(units) for kind, units in self.units().items()}
        return figures

    def to_json(self) -> dict[str, Any]:
        """Returns the layer's part of the report file."""
        return {
            "pairs": self.pairs,
            "correlation": self.correlation,
            "pooled": self.pooled,
            **self._contrasts_and_order(),
            "score": self.scores["pearson"],
            "pooled_score": self.scores["pooled"],
            "stderr": self.stderr,
            "percent": self.percent() if self.complete else {},
            "units": {k: len(v) for k, v in self.units().items()} if self.complete else {},
        }

    def _contrasts_and_order(self) -> dict[str, Any]:
        """Returns the entries that files of format 1 had not from the beginning, if there are."""
        found = {
            "contrast": contrasts(self.correlation),
            "order": self.order,
            "replicates": self.replicates,
        }
        return {key: value for key, value in found.items() if value}
