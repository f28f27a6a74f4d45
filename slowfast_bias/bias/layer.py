"""LayerBias: what the pairs said about one layer and its units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.bias.scores import (
    FACTORS,
    STATISTICS,
    check_statistic,
    percent,
    unit_kinds,
)
from slowfast_bias.results import ResultError


@dataclass(frozen=True, eq=False)
class LayerBias:
    """One layer: its units' scores, its own scores, and their standard errors.

    Where a method takes `statistic` or `threshold`, None means those the report was computed with.

    Attributes:
        pairs: {factor: number of pairs}.
        correlation: {factor: (C,)} unit scores s_F of METHOD eq. (2), NaN where dead.
        pooled: {factor: (C,)} unit scores of the `pooled` statistic, NaN where dead.
        scores: {"pearson": {factor: S_F}, "pooled": {factor: S_F}}.
        stderr: standard errors: {factor: x, "pooled": {factor: x}, "percent": {...}, "units": {}}.
        statistic: "pearson" or "pooled", the one percents and kinds speak of.
        threshold: unit score above which a unit encodes a factor.
    """

    pairs: dict[str, int]
    correlation: dict[str, Tensor]
    pooled: dict[str, Tensor]
    scores: dict[str, dict[str, float]]
    stderr: dict[str, Any]
    statistic: str = "pearson"
    threshold: float = 0.5

    @property
    def channels(self) -> int:
        """C, the number of units, dead ones included."""
        return len(next(iter(self.correlation.values())))

    @property
    def complete(self) -> bool:
        """Whether both static and dynamic pairs were measured."""
        return all(factor in self.correlation for factor in FACTORS)

    def unit_scores(self, factor: str, statistic: str | None = None) -> Tensor:
        """Returns s_F of every unit, (C,), NaN where dead."""
        statistic = self._statistic(factor, statistic)
        return (self.correlation if statistic == "pearson" else self.pooled)[factor]

    def score(self, factor: str, statistic: str | None = None) -> float:
        """Returns the layer score S_F; NaN when every unit is dead."""
        return self.scores[self._statistic(factor, statistic)][factor]

    def score_error(self, factor: str, statistic: str | None = None) -> float:
        """Returns the standard error of `score`."""
        pooled = self._statistic(factor, statistic) == "pooled"
        return (self.stderr["pooled"] if pooled else self.stderr)[factor]

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

    def _statistic(self, factor: str, statistic: str | None) -> str:
        if factor not in self.correlation:
            raise ValueError(
                f"Expected pairs of factor {factor!r}, but only {list(self.correlation)} were "
                "measured (percents and unit kinds need static and dynamic)."
            )
        check_statistic(statistic or self.statistic)
        return statistic or self.statistic

    def figures(self) -> dict[str, float]:
        """Returns the layer in flat numbers: scores with errors, shares in percent, unit counts."""
        figures: dict[str, float] = {}
        for factor in self.correlation:
            figures[f"S_{factor}"] = self.score(factor)
            figures[f"S_{factor}_se"] = self.score_error(factor)
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
            "score": self.scores["pearson"],
            "pooled_score": self.scores["pooled"],
            "stderr": self.stderr,
            "percent": self.percent() if self.complete else {},
            "units": {k: len(v) for k, v in self.units().items()} if self.complete else {},
        }

    @classmethod
    def from_json(cls, name: str, data: Any, statistic: str, threshold: float) -> LayerBias:
        """Returns the layer that `to_json` wrote; ResultError names what is not as it wrote it."""
        entries = ("pairs", "correlation", "pooled", "score", "pooled_score", "stderr")
        for key in entries:
            if not isinstance(data, Mapping) or not isinstance(data.get(key), Mapping):
                raise ResultError(f"Expected an object `{key}` in layer {name!r} of the report.")
        pairs, stderr = data["pairs"], data["stderr"]
        factors = list(data["correlation"])
        if not all(factor.isprintable() for factor in factors):
            raise ResultError(f"Expected names of factors in layer {name!r}, but got {factors}.")
        for key in entries:
            if missing := [f for f in factors if f not in data[key]]:
                raise ResultError(f"Expected `{key}` of {missing[0]} in layer {name!r}.")
        if not factors or not all(type(pairs[f]) is int and 0 <= pairs[f] < 2**63 for f in factors):
            raise ResultError(f"Expected the number of `pairs` of each factor in layer {name!r}.")
        units = {
            key: {f: _numbers(data[key].get(f), f"{key} of {f} in layer {name!r}") for f in factors}
            for key in ("correlation", "pooled")
        }
        lengths = {len(x) for by in units.values() for x in by.values()}
        if len(lengths) != 1 or 0 in lengths:
            raise ResultError(
                f"Expected as many units in all lists of layer {name!r}, but got "
                f"{sorted(lengths)}: the file was changed, or cut short."
            )
        tensors = {
            key: {f: torch.tensor(x, dtype=torch.float64) for f, x in by.items()}
            for key, by in units.items()
        }
        where = f"of layer {name!r}"
        scores = {
            statistic: {f: _number(data[key].get(f), f"{key} of {f} {where}") for f in factors}
            for statistic, key in zip(STATISTICS, ("score", "pooled_score"), strict=True)
        }
        errors: dict[str, Any] = {
            f: _number(stderr.get(f), f"stderr of {f} {where}") for f in factors
        }
        for key in ("pooled", "percent", "units"):
            inner = stderr.get(key, {})
            if not isinstance(inner, Mapping):
                raise ResultError(f"Expected an object `stderr.{key}` {where}.")
            errors[key] = {k: _number(x, f"stderr.{key}.{k!r} {where}") for k, x in inner.items()}
        if missing := [f for f in factors if f not in errors["pooled"]]:
            raise ResultError(f"Expected `stderr.pooled` of {missing[0]} {where}.")
        present = {k: v for k, v in errors.items() if k in stderr}
        return cls(dict(pairs), scores=scores, stderr=present, statistic=statistic,
                   threshold=threshold, **tensors)  # fmt: skip


def _number(value: Any, what: str) -> float:
    """Returns a number of the file, NaN for null; ResultError if it is none."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300:
        raise ResultError(f"Expected a number as {what}, but got {str(value)[:40]!r}.")
    return value


def _numbers(values: Any, what: str) -> list[float]:
    if not isinstance(values, list):
        raise ResultError(f"Expected a list as {what}, but got {type(values).__name__}.")
    return [_number(value, what) for value in values]
