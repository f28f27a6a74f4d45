"""BiasReport: what the pairs said about every layer and unit; a value that is saved and read back.

    report["s5"].score("static")             # S_static, a mean over live units
    report["s5"].units()["joint"]            # channel indices
    report.save("bias.json"); print(report.table())

The JSON is strict (NaN is null), complete, and the same bytes again after load and save.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from iopath.common.file_io import g_pathmgr
from torch import Tensor

from slowfast_bias.bias import report_text
from slowfast_bias.bias.scores import FACTORS, check_statistic, percent, unit_kinds
from slowfast_bias.files import write_whole

FORMAT = 1


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
        """Return s_F of every unit, (C,), NaN where dead."""
        statistic = self._statistic(factor, statistic)
        return (self.correlation if statistic == "pearson" else self.pooled)[factor]

    def score(self, factor: str, statistic: str | None = None) -> float:
        """Return the layer score S_F; NaN when every unit is dead."""
        return self.scores[self._statistic(factor, statistic)][factor]

    def score_error(self, factor: str, statistic: str | None = None) -> float:
        """Return the standard error of `score`."""
        pooled = self._statistic(factor, statistic) == "pooled"
        return (self.stderr["pooled"] if pooled else self.stderr)[factor]

    def percent(self, statistic: str | None = None) -> dict[str, float]:
        """Return {"static", "dynamic", "residual"}: METHOD eq. (1), a softmax, in percent."""
        scores = (torch.tensor(self.score(f, statistic), dtype=torch.float64) for f in FACTORS)
        return {kind: share.item() for kind, share in percent(*scores).items()}

    def units(
        self, threshold: float | None = None, statistic: str | None = None
    ) -> dict[str, list[int]]:
        """Return channel indices by kind, METHOD eq. (3): a partition of all channels."""
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

    def to_json(self) -> dict[str, Any]:
        """Return the layer's part of the report file."""
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
    def from_json(cls, data: Mapping[str, Any], statistic: str, threshold: float) -> LayerBias:
        """Return the layer that `to_json` wrote."""
        units = {
            key: {f: torch.tensor(_numbers(x), dtype=torch.float64) for f, x in data[key].items()}
            for key in ("correlation", "pooled")
        }
        scores = {"pearson": _numbers(data["score"]), "pooled": _numbers(data["pooled_score"])}
        return cls(
            pairs=dict(data["pairs"]),
            scores=scores,
            stderr=_numbers(data["stderr"]),
            statistic=statistic,
            threshold=threshold,
            **units,
        )


@dataclass(frozen=True, eq=False)
class BiasReport:
    """All layers in network order, and `meta`: where the numbers come from."""

    layers: dict[str, LayerBias]
    meta: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, layer: str) -> LayerBias:
        if layer not in self.layers:
            raise KeyError(f"Expected one of the layers {list(self.layers)}, but got {layer!r}.")
        return self.layers[layer]

    @property
    def warnings(self) -> list[str]:
        """What the reader of these numbers should know."""
        return self.meta.get("warnings", [])

    def save(self, path: str | os.PathLike) -> None:
        """Write the report as JSON; a reader never meets a half-written local file."""
        layers = {name: layer.to_json() for name, layer in self.layers.items()}
        data = {"format": FORMAT, "meta": self.meta, "layers": layers}
        with write_whole(path) as file:
            file.write(json.dumps(_plain(data), allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> BiasReport:
        """Read a report that `save` wrote."""
        with g_pathmgr.open(os.fspath(path), "r") as file:
            data = json.load(file)
        if not isinstance(data, dict) or not isinstance(data.get("format"), int):
            raise ValueError(f"Expected a bias report, but {path} has no format number.")
        if data["format"] > FORMAT:
            raise ValueError(
                f"Expected a report of format {FORMAT} or older, but {path} has format "
                f"{data['format']}: a newer slowfast_bias wrote it."
            )
        meta = data["meta"]
        settings = meta.get("statistic", "pearson"), meta.get("threshold", 0.5)
        layers = {n: LayerBias.from_json(x, *settings) for n, x in data["layers"].items()}
        return cls(layers, meta)

    def table(self) -> str:
        """Return an aligned table for a terminal or a log, warnings below it."""
        return report_text.text(self)

    def to_markdown(self) -> str:
        """Return the table in Markdown, warnings below it."""
        return report_text.markdown(self)

    def to_csv(self) -> str:
        """Return one line per layer, every number in a column of its own."""
        return report_text.csv_lines(self)


def rank_units(
    report: BiasReport, layer: str, factor: str, statistic: str | None = None
) -> list[int]:
    """Return the channels of `layer`, the most `factor` first; dead ones are left out."""
    scores = report[layer].unit_scores(factor, statistic)
    order = scores.argsort(descending=True, stable=True)
    return order[~scores[order].isnan()].tolist()


def _plain(value: Any) -> Any:
    """Return `value` as strict JSON has it: tensors as lists, NaN and infinities as None."""
    if isinstance(value, Tensor):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Any) -> Any:
    """Return `value` with None read back as NaN."""
    if isinstance(value, dict):
        return {key: _numbers(x) for key, x in value.items()}
    if isinstance(value, list):
        return [_numbers(x) for x in value]
    return math.nan if value is None else value
