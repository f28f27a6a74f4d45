"""The jackknife: every number again without one fold of the videos, and the error that this gives.

The replicates are kept in the report. With them the error of a difference between two networks
measured on the same videos is that of the difference itself. Maths: docs/METHOD.md, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from slowfast_bias.bias.scores import (
    FACTORS,
    STATISTICS,
    layer_scores,
    percent,
    unit_kinds,
    unit_scores,
)
from slowfast_bias.bias.stats import PairStats

Replicates = dict[str, dict[str, Tensor]]  # {statistic: {score: (K,)}}


def jackknife_error(replicates: Tensor) -> float:
    """Returns the standard error from leave-one-fold-out replicates (K,); NaN below two folds."""
    k = len(replicates)
    if k < 2:
        return float("nan")
    return ((k - 1) / k * (replicates - replicates.mean()).square().sum()).sqrt().item()


def recordings_warning(videos: int, recordings: int, frames: bool = False) -> list[str]:
    """Returns what the reader of errors must know if videos are parts of fewer recordings.

    Args:
        videos: their number.
        recordings: what they are cut from.
        frames: whether they are the frames of sequences.
    """
    video, recording = ("frames", "sequence") if frames else ("videos", "recording")
    if recordings == 1 < videos:
        return [f"all {video} are parts of one {recording}: no error can be given"]
    if recordings < videos:
        over = f"{recording}s"
        return [f"{videos} {video} are parts of {recordings} {over}: errors are over {over}"]
    return []


def layer_replicates(others: Mapping[str, PairStats]) -> Replicates:
    """Returns the scores of one layer from its leave-one-fold-out stacks."""
    return {statistic: layer_scores(others, statistic) for statistic in STATISTICS}


def layer_errors(
    replicates: Replicates, others: Mapping[str, PairStats], statistic: str, threshold: float
) -> dict[str, Any]:
    """Returns one layer's standard errors, as in the report.

    `percent` and `units` are there if both factors are, and are computed from `statistic`.
    """
    errors: dict[str, Any] = {f: jackknife_error(x) for f, x in replicates["pearson"].items()}
    errors["pooled"] = {f: jackknife_error(x) for f, x in replicates["pooled"].items()}
    if all(f in others for f in FACTORS):
        shares = percent(*(replicates[statistic][f] for f in FACTORS))
        errors["percent"] = {k: jackknife_error(x) for k, x in shares.items()}
        static, dynamic = (unit_scores(others[f], statistic) for f in FACTORS)
        kinds = unit_kinds(static, dynamic, threshold)
        errors["units"] = {k: jackknife_error(x.double().sum(-1)) for k, x in kinds.items()}
    return errors
