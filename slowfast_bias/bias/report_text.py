"""A report as text: an aligned table, Markdown, and CSV, one row per layer."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from slowfast_bias import plain_table
from slowfast_bias.bias.layer import SCORES, LayerBias
from slowfast_bias.bias.scores import FACTORS, KINDS, NEITHER

Layers = Mapping[str, LayerBias]

TITLES = {
    "static": "S_static", "motion": "motion-only", "look": "look-only", "content": "content",
    "dynamic": "S_dynamic", "order_share": "order share", "order_agreement": "order agreement",
}  # fmt: skip
_HEADLINE = ("static", "motion", "content", "dynamic", "order_share", "order_agreement")
# of a report's meta, what its page says below the table; report.json has it all
_ABOUT = ("model", "checkpoint", "data", "videos", "decoder", "sampling", "host")


def text(layers: Layers, warnings: Sequence[str] = ()) -> str:
    """Returns the table aligned with spaces, the layer's name left, numbers right."""
    notes = [f"warning: {warning}" for warning in warnings]
    return "\n".join([*plain_table.aligned(_rows(layers)), *notes])


def markdown(layers: Layers, meta: Mapping[str, Any], warnings: Sequence[str] = ()) -> str:
    """Returns the table in Markdown, where its numbers come from and the warnings below it."""
    lines = plain_table.markdown(_rows(layers))
    about = "; ".join(f"{key} {meta[key]}" for key in _ABOUT if meta.get(key))
    notes = [f"\n> warning: {warning}" for warning in warnings]
    return "\n".join([*lines, *([f"\n{about}"] if about else []), *notes]) + "\n"


def csv_lines(layers: Layers) -> str:
    """Returns CSV with a header; empty where a number is NaN or was not measured."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_csv_head())
    for name, layer in layers.items():
        numbers = ("" if x is None or math.isnan(x) else x for x in _csv_numbers(layer))
        writer.writerow([name, layer.statistic, *numbers])
    return out.getvalue()


def _rows(layers: Layers) -> list[list[str]]:
    measured = {score for layer in layers.values() for score in layer.measured}
    scores = [score for score in _HEADLINE if score in measured or score in FACTORS]
    head = ["layer", *(TITLES[score] for score in scores)]
    head += ["static %", "dynamic %", "residual %", *KINDS, "units", "pairs"]
    return [head, *(_row(name, layer, scores) for name, layer in layers.items())]


def _row(name: str, layer: LayerBias, scores: Sequence[str]) -> list[str]:
    shares, counts = ["-"] * 3, ["-"] * len(KINDS)
    if layer.complete:
        shares = [f"{share:.1f}" for share in layer.percent().values()]
        counts = [str(len(units)) for units in layer.units().values()]
    pairs = "/".join(str(n) for n in dict.fromkeys(layer.pairs.values()))  # once if all are equal
    columns = [_with_error(layer, score) for score in scores]
    return [name, *columns, *shares, *counts, str(layer.channels), pairs]


def _with_error(layer: LayerBias, score: str) -> str:
    if score not in layer.measured or math.isnan(layer.score(score)):
        return "-"
    error = layer.score_error(score)
    found = f"{layer.score(score):.3f} ±{'-' if math.isnan(error) else f'{error:.3f}'}"
    return found.replace("-0.000", "0.000")  # what the rounding of a difference may leave


def _csv_head() -> list[str]:
    scores = [f"{kind}_{score}" for score in SCORES for kind in ("score", "stderr")]
    shares = [f"percent_{kind}" for kind in (*FACTORS, "residual")]
    counts = [f"units_{kind}" for kind in KINDS]
    pairs = [f"pairs_{factor}" for factor in (*FACTORS, NEITHER)]
    return ["layer", "statistic", *scores, *shares, *counts, "channels", *pairs]


def _csv_numbers(layer: LayerBias) -> list[float | None]:
    numbers: list[float | None] = []
    for score in SCORES:
        known = score in layer.measured
        numbers += [layer.score(score), layer.score_error(score)] if known else [None] * 2
    if layer.complete:
        numbers += layer.percent().values()
        numbers += (len(units) for units in layer.units().values())
    else:
        numbers += [None] * (3 + len(KINDS))
    pairs = (layer.pairs.get(factor) for factor in (*FACTORS, NEITHER))
    return [*numbers, layer.channels, *pairs]
