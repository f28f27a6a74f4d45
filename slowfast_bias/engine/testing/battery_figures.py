"""The numbers of the battery, from the votes: accuracies, differences, divergences, partners.

Intervals are over recordings, see `bias.intervals` and `bias.paired`. Legend: V complete videos.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.bias.intervals import effective_n, wilson
from slowfast_bias.bias.paired import mean_interval, paired_difference
from slowfast_bias.datasets.lists.chosen_videos import ChosenVideos
from slowfast_bias.datasets.lists.class_index import ClassIndex
from slowfast_bias.datasets.lists.partner_file import Partners
from slowfast_bias.engine.testing.battery_variants import ORDERED, Plan
from slowfast_bias.engine.testing.vote import Votes

NONE = [math.nan, math.nan]
OF_LISTS = (ORDERED, "shuffled", "reversed", "frozen", "styled")


def hits_of(votes: Votes, plan: Plan) -> dict[str, Tensor]:
    """Returns {entry: (V,) hits from 0 to 1}: means over draws and looks, any of single frames."""
    found = {}
    for entry, names in plan.entries.items():
        hits = torch.stack([votes.hits(name).double() for name in names])
        found[entry] = hits.amax(0) if entry == "best_frame" else hits.mean(0)
    return found


def accuracies(
    hits: Mapping[str, Tensor], votes: Votes, plan: Plan, labelled: bool, classes: int
) -> dict[str, dict[str, Any]]:
    """Returns {entry: accuracy, per class too, and its difference from `ordered`}, in percent.

    `best_frame` also has its number of single frames, and what a guess for each of them gives.
    """
    if not labelled:
        empty = {"accuracy": math.nan, "interval": NONE, "effective_n": math.nan, "per_class": {}}
        return {entry: {**empty, **_difference(entry, None, None, None)} for entry in hits}
    labels, recordings = votes.labels(), votes.recordings
    found = {}
    for entry, right in hits.items():
        found[entry] = {
            **accuracy(right, recordings),
            "per_class": {
                int(c): _of_class(right, recordings, labels == c) for c in labels.unique()
            },
            **_difference(entry, hits[ORDERED], right, recordings),
        }
    rates = torch.stack([votes.hits(name).double().mean() for name in plan.entries["shuffled"]])
    found["shuffled"]["spread"] = 100 * float(rates.std()) if len(rates) > 1 else 0.0
    frames = len(plan.entries["best_frame"])
    found["best_frame"] |= {"frames": frames, "guess": 100 * (1 - (1 - 1 / classes) ** frames)}
    return found


def accuracy(right: Tensor, recordings: Tensor) -> dict[str, Any]:
    """Returns the share of hits (V,) in percent with its interval; NaN without videos."""
    if not len(right):
        return {"accuracy": math.nan, "interval": NONE, "effective_n": 0}
    independent, share = effective_n(right, recordings), float(right.mean())
    return {
        "accuracy": 100 * share,
        "interval": wilson(share, independent),
        "effective_n": independent,
    }


def _of_class(right: Tensor, recordings: Tensor, mask: Tensor) -> dict[str, Any]:
    found = accuracy(right[mask], recordings[mask])
    kept = {key: found[key] for key in ("accuracy", "interval")}
    return {**kept, "videos": int(mask.sum())}


def _difference(
    entry: str, before: Tensor | None, after: Tensor | None, recordings: Tensor | None
) -> dict[str, Any]:
    if entry == ORDERED:
        return {}
    change, interval = math.nan, NONE
    if before is not None and after is not None:
        change, interval = paired_difference(before, after, recordings)
    return {"against_ordered": {"difference": change, "interval": interval}}


def pairs_of(plan: Plan) -> list[tuple[int, int]]:
    """Returns the variants whose outputs are compared with `ordered`: reversed, every shuffle."""
    names = plan.names
    others = ["reversed", *plan.entries["shuffled"]]
    return [(names.index(ORDERED), names.index(name)) for name in others]


def divergences(votes: Votes, plan: Plan, seed: int, resamples: int) -> dict[str, dict[str, Any]]:
    """Returns how far outputs move when clips are reversed and shuffled, in nats.

    Those of a video's shuffles are averaged.
    """
    count = len(pairs_of(plan))
    rows = [votes.tally.divergences(row, votes.complete) for row in range(count)]
    each = {"reversed": rows[0], "shuffled": torch.stack(rows[1:]).mean(0)}
    return {
        name: {
            "mean": float(values.mean()),
            "interval": mean_interval(values, seed, votes.recordings, resamples),
            "median": float(values.quantile(0.5)),
        }
        for name, values in each.items()
    }


def partner_rate(votes: Votes, partners: Partners, classes: ClassIndex) -> dict[str, Any]:
    """Returns the share of videos that are given their partner's class when they are reversed.

    Among videos of classes with a partner that are right in their own order.
    """
    labels = votes.labels()
    partner = torch.tensor([partners.of.get(int(label), -1) for label in labels])
    asked = (partner >= 0) & votes.hits(ORDERED)
    named = votes.tally.named(votes.names.index("reversed"), votes.complete)
    found = accuracy((named == partner)[asked].double(), votes.recordings[asked])
    return {
        "rate": found["accuracy"],
        "interval": found["interval"],
        "videos": int(asked.sum()),
        "pairs": [[classes.named(a), classes.named(b)] for a, b in partners.pairs],
        "file": partners.file,
    }


def list_accuracies(
    chosen: ChosenVideos, hits: Mapping[str, Tensor], votes: Votes
) -> dict[str, Any]:
    """Returns the accuracies of a part of the test list."""
    numbers = votes.complete.nonzero().flatten()
    note = [chosen.note] if chosen.note else []
    if chosen.classes is None:
        mask = torch.isin(numbers, torch.tensor(chosen.videos))
        if lost := len(chosen.videos) - int(mask.sum()):
            note.append(f"{lost} of its videos could not be read")
    else:
        mask = torch.isin(votes.labels(), torch.tensor(chosen.classes))
    variants = {
        entry: accuracy(hits[entry][mask], votes.recordings[mask])
        for entry in OF_LISTS
        if entry in hits
    }
    for found in variants.values():
        del found["effective_n"]
    if not mask.any():
        note.append("no video of it could be tested")
    return {
        "videos": int(mask.sum()),
        "classes": None if chosen.classes is None else list(chosen.classes),
        "variants": variants,
        "note": "; ".join(note),
    }
