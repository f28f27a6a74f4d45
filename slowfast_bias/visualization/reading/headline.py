"""Which scores figures show first, what they are called, and what curves read from a layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from slowfast_bias.bias import FACTORS, HEADLINE, BiasReport, LayerBias
from slowfast_bias.bias.report_text import TITLES
from slowfast_bias.bias.scores import CONTRASTS
from slowfast_bias.errors import RequestError

VALUES = ("score", "percent")
LABELS = {"percent": "share of the layer (%)", "score": "layer score"}
Reading = Callable[[LayerBias], tuple[float, float]]


def headline(reports: Iterable[BiasReport], value: str = "score") -> tuple[str, ...]:
    """Returns S_static, motion-only and content; the two factors for shares and old reports."""
    measured = {x for r in reports for layer in r.layers.values() for x in layer.measured}
    return HEADLINE if value == "score" and measured.issuperset(HEADLINE) else FACTORS


def title_of(score: str, value: str = "score", bold: bool = False) -> str:
    """Returns what a panel or a line is called; a share has the factor's own name."""
    if value == "percent" or score not in FACTORS:
        return TITLES.get(score, score) if value == "score" else score
    return rf"$\mathbf{{S_{{{score}}}}}$" if bold else rf"$S_\mathrm{{{score}}}$"


def reading(score: str, value: str) -> Reading:
    """Returns the function: layer -> (value, standard error) of a score.

    NaN, which leaves a gap, where a report is from before there was motion-only.
    """
    if value == "score":
        return lambda layer: _score(layer, score)
    if value != "percent":
        raise RequestError(f"Expected `value` to be 'percent' or 'score', but got {value!r}.")
    if score not in (*FACTORS, "residual"):
        raise RequestError(
            f"Expected one of the factors static, dynamic, residual, but got {score!r}: only they "
            "have a share of a layer; value='score' shows any factor."
        )
    return lambda layer: (
        layer.percent()[score],
        layer.stderr.get("percent", {}).get(score, math.nan),
    )


def without_motion(reports: Mapping[str, BiasReport]) -> list[str]:
    """Returns the names of the reports that lack motion-only, if another has it."""
    lack = [name for name, report in reports.items() if headline([report]) == FACTORS]
    return lack if len(lack) < len(reports) else []


def _score(layer: LayerBias, score: str) -> tuple[float, float]:
    if score in CONTRASTS and score not in layer.measured:
        return math.nan, math.nan
    return layer.score(score), layer.score_error(score)
