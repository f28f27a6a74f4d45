"""BiasReport: what the pairs said about every layer and unit; a value that is saved and read back.

    report["s5"].score("motion")             # S_dynamic - S_neither, a mean over live units
    report["s5"].units()["joint"]            # channel indices
    report.save("bias.json"); print(report.table())

The JSON is strict (NaN is null), complete, and the same bytes again after load and save.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slowfast_bias.bias import report_text, report_views
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.layer_file import read_layer
from slowfast_bias.bias.scores import STATISTICS
from slowfast_bias.results import ResultError, read_object, write_result

KIND = "report"


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
        """Writes the report as JSON; a reader never meets a half-written local file."""
        layers = {name: layer.to_json() for name, layer in self.layers.items()}
        data = {name: layer.figures() for name, layer in self.layers.items()}
        write_result(path, KIND, self.meta, data, layers=layers)

    @classmethod
    def load(cls, path: str | os.PathLike) -> BiasReport:
        """Returns a report that `save` wrote; ResultError, in one line, if `path` holds none."""
        content = read_object(path, KIND)
        meta, layers = content["meta"], content.get("layers")
        if not isinstance(layers, dict):
            raise ResultError(
                f"Expected a bias report (bias/report.json of a run), but {path} has no `layers`."
            )
        statistic, threshold = meta.get("statistic", "pearson"), meta.get("threshold", 0.5)
        number = type(threshold) in (int, float)
        if statistic not in STATISTICS or not number or not -1 <= threshold <= 1:
            raise ResultError(
                f"Expected `meta` of {path} to have a statistic among {', '.join(STATISTICS)} and "
                f"a threshold from -1 to 1, but got {statistic!r} and {threshold!r}."
            )
        said = meta.get("warnings", [])
        if not isinstance(said, list) or not all(isinstance(x, str) for x in said):
            raise ResultError(f"Expected `warnings` in `meta` of {path} to be texts, got {said!r}.")
        dropped = meta.get("dropped_videos") or []
        if not isinstance(dropped, list):
            raise ResultError(f"Expected `dropped_videos` in `meta` of {path} to be a list.")
        try:
            found = {n: read_layer(n, x, statistic, threshold) for n, x in layers.items()}
        except ResultError as error:
            raise ResultError(f"{path}: {error}") from error
        return cls(found, meta)

    def table(self, others: Mapping[str, BiasReport] | None = None) -> str:
        """Returns an aligned table for a terminal or a log, notes and warnings below it.

        Args:
            others: {name: report} of reference networks, in rows below the report's own.
        """
        return report_text.text(self.layers, self.meta, self._said(others), _layers(others))

    def to_markdown(self, others: Mapping[str, BiasReport] | None = None) -> str:
        """Returns the table in Markdown, notes and warnings below it; `others` as in `table`."""
        return report_text.markdown(self.layers, self.meta, self._said(others), _layers(others))

    def _said(self, others: Mapping[str, BiasReport] | None) -> list[str]:
        """Returns the warnings, and those that hold for a reference network alone."""
        more = [(name, text) for name, x in (others or {}).items() for text in x.warnings]
        own = self.warnings
        return [*own, *(f"{name}: {text}" for name, text in more if text not in own)]

    def to_csv(self) -> str:
        """Returns one line per layer, every number in a column of its own, its origin last."""
        return report_text.csv_lines(self.layers, self.meta)

    def plot(self, kind: str = "page", **options: Any) -> Any:
        """Returns a `matplotlib.figure.Figure` of the report.

        Args:
            kind: "page", "curves", "units", "scatter" or "panels".
            options: `layer` and `axes` of a scatter, `value` ("score" or "percent") of the others.
        """
        return report_views.figure(self, kind, **options)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: the table, and the curves as a small picture."""
        return report_views.html(self)


def _layers(reports: Mapping[str, BiasReport] | None) -> dict[str, dict[str, LayerBias]]:
    return {name: report.layers for name, report in (reports or {}).items()}


def rank_units(
    report: BiasReport, layer: str, factor: str, statistic: str | None = None
) -> list[int]:
    """Returns the channels of `layer`, the most `factor` first; dead ones are left out."""
    scores = report[layer].unit_scores(factor, statistic)
    order = scores.argsort(descending=True, stable=True)
    return order[~scores[order].isnan()].tolist()
