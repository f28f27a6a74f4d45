"""What the pooled statistics of a layer say: its scores, their errors, and what to be warned of."""

from __future__ import annotations

import warnings

import torch

from slowfast_bias.bias.jackknife import layer_errors, layer_replicates
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.scores import STATISTICS, layer_scores, order_figures, unit_scores
from slowfast_bias.bias.stats import PairStats

FEW_PAIRS = 500  # at 500, 8 % of units change kind when other videos are drawn


def layer_bias(
    whole: dict[str, PairStats],
    others: dict[str, PairStats],
    pairs: dict[str, int],
    statistic: str,
    threshold: float,
) -> LayerBias:
    """Returns one layer from the statistics of all its pairs and of all without a fold."""
    scores = {s: layer_scores(whole, s) for s in STATISTICS}
    replicates = layer_replicates(others)
    return LayerBias(
        pairs=dict(pairs),
        correlation={f: unit_scores(whole[f], "pearson") for f in pairs},
        pooled={f: unit_scores(whole[f], "pooled") for f in pairs},
        scores={s: {f: x.item() for f, x in by.items()} for s, by in scores.items()},
        stderr=layer_errors(replicates, others, statistic, threshold),
        statistic=statistic,
        threshold=threshold,
        order=order_figures(whole),
        replicates=replicates,
    )


def warnings_of(pairs: dict[str, int], layers: dict[str, LayerBias]) -> list[str]:
    """Returns what a reader of the report must know, and warns of it."""
    found = []
    few = min(pairs.values())
    if few < FEW_PAIRS:
        found.append(
            f"fewer than {FEW_PAIRS} pairs ({few}): unit counts are biased, and each score has a "
            f"standard error of about {0.45 / few**0.5:.3f}"
        )
    for name, layer in layers.items():
        if all(torch.stack(list(layer.correlation.values())).isnan().any(0)):
            found.append(f"all {layer.channels} units of {name} are dead: its scores are NaN")
    for text in found:
        warnings.warn(text, stacklevel=4)
    return found
