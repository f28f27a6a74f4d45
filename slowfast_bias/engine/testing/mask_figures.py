"""The numbers of the battery of masks, from the votes: scores, differences, what masks follow.

A number is a mean over sequences of the mean over frames, in percent, and its interval is over
sequences. Legend: S sequences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from slowfast_bias.bias.intervals import wilson
from slowfast_bias.bias.paired import mean_interval
from slowfast_bias.engine.tasks.mask_scores import MaskScores
from slowfast_bias.engine.testing.mask_variants import OWN, STYLED
from slowfast_bias.engine.testing.mask_votes import TRUTHS, Frames
from slowfast_bias.engine.testing.vote import Votes
from slowfast_bias.metrics.frames import fmean

J, BOX = "J", "mIoU"
Scores = dict[str, float]  # sequence -> percent


class Interval:
    """Means with their 95 % intervals over sequences, of draws of one seed."""

    def __init__(self, seed: int, resamples: int) -> None:
        self.seed, self.resamples = seed, resamples

    def of(self, values: Sequence[float]) -> dict[str, Any]:
        """Returns {"mean", "interval"} of a value of each sequence; NaN without any."""
        known = torch.tensor([x for x in values if math.isfinite(x)], dtype=torch.float64)
        if not len(known):
            return {"mean": math.nan, "interval": [math.nan, math.nan]}
        interval = mean_interval(known, self.seed, None, self.resamples)
        return {"mean": float(known.mean()), "interval": interval}


def figures_of(votes: Votes, looks: Sequence[str], means: Interval) -> dict[str, Any]:
    """Returns what a result holds of the votes: `measure`, `variants`, `overlap`."""
    scores = {name: votes.figures(name) for name in votes.names}
    measure = J if scores[OWN].masks.lengths else BOX
    each = {name: by_sequence(found, measure) for name, found in scores.items()}
    if looks:
        each[STYLED] = {s: fmean([each[look][s] for look in looks]) for s in each[OWN]}
    order = [*(x for x in each if x not in (*looks, STYLED)), *([STYLED] if looks else []), *looks]
    followed = votes.tally.followed
    variants = {name: _variant(name, each, means) for name in order}
    for name in (x for x in order if x in followed):
        variants[name]["follows"] = follows(followed[name], means)
    truths = followed.get(TRUTHS, {})
    overlap = means.of([100 * fmean([x.image for x in f.values()]) for _, f in _ordered(truths)])
    return {
        "measure": measure,
        "sequences": len(each[OWN]),
        "cues_in_conflict": OWN in followed,
        "overlap": overlap,
        "variants": variants,
    }


def by_sequence(found: MaskScores, measure: str) -> Scores:
    """Returns J, or the overlap of boxes, of each sequence that has frames that count."""
    if measure == BOX:
        videos = found.boxes.overlaps
        return {s: 100 * fmean(list(videos[s].values())) for s in sorted(videos) if videos[s]}
    rows, frames = found.masks.by_sequence(), found.masks.scores
    return {s: row["J_mean"] for s, row in rows.items() if frames[s]}


def _variant(name: str, each: Mapping[str, Scores], means: Interval) -> dict[str, Any]:
    own, values = each[OWN], each[name]
    found = means.of(list(values.values()))
    if name != OWN:
        change = means.of([values[s] - own[s] for s in own])
        found["against_own"] = {"difference": change["mean"], "interval": change["interval"]}
    return found


def follows(frames: Frames, means: Interval) -> dict[str, Any]:
    """Returns which object masks follow, that of the flow or that of the image.

    A sequence follows the object with which its masks have more in common, by their mean J; with
    neither if both are equal, as of an empty mask.
    """
    rows = [list(found.values()) for _, found in _ordered(frames)]
    flow, image = ([fmean([getattr(x, cue) for x in row]) for row in rows]
                   for cue in ("flow", "image"))  # fmt: skip
    count = len(rows)
    found: dict[str, Any] = {"sequences": count}
    for cue, mine, other in (("flow", flow, image), ("image", image, flow)):
        similar = means.of([100 * x for x in mine])
        ahead = sum(a > b for a, b in zip(mine, other, strict=True)) / count
        found |= {f"{cue}_J": similar["mean"], f"{cue}_J_interval": similar["interval"]}
        found |= {f"{cue}_share": 100 * ahead, f"{cue}_share_interval": wilson(ahead, count)}
    pixels = means.of([_share_of_pixels(row) for row in rows])
    return found | {"flow_pixels": pixels["mean"], "flow_pixels_interval": pixels["interval"]}


def _share_of_pixels(row: Sequence[Any]) -> float:
    """Returns the percent of pixels inside one object alone that lie in the flow's; NaN of none."""
    flow, image = sum(x.flow_pixels for x in row), sum(x.image_pixels for x in row)
    return 100 * flow / (flow + image) if flow + image else math.nan


def _ordered(frames: Frames) -> list[tuple[str, Mapping[int, Any]]]:
    """Returns sequences and frames in one order, whichever process counted them."""
    return [(name, dict(sorted(frames[name].items()))) for name in sorted(frames)]
