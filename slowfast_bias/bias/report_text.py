"""A report as text: an aligned table, Markdown, and CSV, one row per layer."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from slowfast_bias import plain_table
from slowfast_bias.bias.layer import SCORES, LayerBias
from slowfast_bias.bias.origin import ORIGIN, flow_pairs, origin, origin_words
from slowfast_bias.bias.scores import FACTORS, HEADLINE, KINDS, NEITHER, ORDER_FIGURES

Layers = Mapping[str, LayerBias]

TITLES = {
    "static": "S_static", "motion": "motion-only", "look": "look-only", "content": "content",
    "dynamic": "S_dynamic", "order_share": "order share", "order_agreement": "order agreement",
}  # fmt: skip
_FLOW_TITLES = {"order_share": "flow share", "order_agreement": "flow agreement"}
_COLUMNS = (*HEADLINE, "dynamic", *ORDER_FIGURES)
# of a report's meta, what its page says below the table; report.json has it all
_ABOUT = ("model", "checkpoint", "weights_table", "data", "sampling", "host")


def text(
    layers: Layers,
    meta: Mapping[str, Any],
    warnings: Sequence[str] = (),
    others: Mapping[str, Layers] | None = None,
) -> str:
    """Returns the table aligned with spaces, the layer's name left, numbers right.

    Args:
        layers: of the report.
        meta: where the numbers come from; the bank, n, and the decoder stand below the table.
        warnings: stand below that.
        others: {name: layers} of reference networks, in rows below the report's own.
    """
    lines = plain_table.aligned(_rows(layers, meta, others or {}))
    notes = [*_notes(layers, meta), *(f"warning: {warning}" for warning in warnings)]
    return "\n".join([*lines, *notes])


def markdown(
    layers: Layers,
    meta: Mapping[str, Any],
    warnings: Sequence[str] = (),
    others: Mapping[str, Layers] | None = None,
) -> str:
    """Returns the table in Markdown, where its numbers come from and the warnings below it."""
    lines = plain_table.markdown(_rows(layers, meta, others or {}))
    about = "; ".join(f"{key} {meta[key]}" for key in _ABOUT if meta.get(key))
    notes = [f"\n{note}" for note in (*_notes(layers, meta), about) if note]
    notes += [f"\n> warning: {warning}" for warning in warnings]
    return "\n".join([*lines, *notes]) + "\n"


def titles_of(meta: Mapping[str, Any]) -> dict[str, str]:
    """Returns {score: its title}: of image and flow it is the flow whose share is measured."""
    return TITLES | _FLOW_TITLES if flow_pairs(meta) else TITLES


def frame_wise_words(layers: Layers, meta: Mapping[str, Any]) -> str:
    """Returns why motion-only is exactly 0 in some layers; "" if it is in none."""
    found = [name for name, layer in layers.items() if layer.frame_wise]
    if not found:
        return ""
    if flow_pairs(meta):
        return f"motion-only of {', '.join(found)} is 0 to rounding: the flow does not show there"
    if len(found) == len(layers) > 1:  # nothing in the report shows that the clips move
        which, what = "every layer", "the network sees frames one by one (or no clip moves)"
    else:
        which = ", ".join(found)
        what = "the layer sees" if len(found) == 1 else "the layers see"
        what += " frames one by one"
    return f"motion-only of {which} is 0 by construction: {what}"


def _notes(layers: Layers, meta: Mapping[str, Any]) -> list[str]:
    notes = (origin_words([meta]), recognition_words(meta), frame_wise_words(layers, meta))
    return [note for note in notes if note]


def recognition_words(meta: Mapping[str, Any]) -> str:
    """Returns how often the network still sees the same in styled clips; "" if not measured."""
    known = meta.get("recognition")
    keys = ("top1_kept", "probability", "probability_styled", "clips")
    values = [known.get(key) for key in keys] if isinstance(known, Mapping) else [None]
    if not all(isinstance(value, (int, float)) for value in values):
        return ""
    kept, before, after, clips = values
    return (
        f"recognition: a styled clip keeps the best class of the original in {100 * kept:.0f} % of "
        f"{clips} clips; its probability goes from {before:.2f} to {after:.2f}"
    )


def csv_lines(layers: Layers, meta: Mapping[str, Any]) -> str:
    """Returns CSV with a header; empty where a number is NaN or was not measured."""
    out, known = io.StringIO(), origin(meta)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_csv_head(), *ORIGIN])
    for name, layer in layers.items():
        numbers = ("" if x is None or math.isnan(x) else x for x in _csv_numbers(layer))
        writer.writerow([name, layer.statistic, *numbers, *(known.get(key, "") for key in ORIGIN)])
    return out.getvalue()


def _rows(layers: Layers, meta: Mapping[str, Any], others: Mapping[str, Layers]) -> list[list[str]]:
    named, titles = dict(layers), titles_of(meta)
    for other, found in others.items():
        named |= {f"{other}, {name}": layer for name, layer in found.items()}
    measured = {score for layer in named.values() for score in layer.measured}
    scores = [score for score in _COLUMNS if score in measured or score in FACTORS]
    head = ["layer", *(titles[score] for score in scores)]
    head += ["static %", "dynamic %", "residual %", *KINDS, "units", "pairs"]
    return [head, *(_row(name, layer, scores) for name, layer in named.items())]


def _row(name: str, layer: LayerBias, scores: Sequence[str]) -> list[str]:
    shares, counts = ["-"] * 3, ["-"] * len(KINDS)
    if layer.complete:
        shares = [f"{share:.1f}" for share in layer.percent().values()]
        counts = [str(len(units)) for units in layer.units().values()]
    pairs = "/".join(str(n) for n in dict.fromkeys(layer.pairs.values()))  # once if all are equal
    columns = [with_error(layer, score) for score in scores]
    return [name, *columns, *shares, *counts, str(layer.channels), pairs]


def with_error(layer: LayerBias, score: str) -> str:
    """Returns a score as "0.412 ±0.013"; "-" if it was not measured."""
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
