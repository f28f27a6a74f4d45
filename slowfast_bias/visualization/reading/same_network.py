"""Checks that all results in the folder of a run are of one network.

A later step with other weights writes beside what is there, so that a test may be of a network
that was not measured. Only what results say of themselves is compared: the file of the weights, by
its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.reading.run_folder import RunFolder

FILES = {
    "report": "report.json",
    "orders": "orders.json",
    "battery": "battery.json",
    "masks": "segmentation.json",
    "silencing": "ablation.json",
    "top_clips": "top_clips.json",
    "maximised": "maximised.json",
}


def weights_of(run: RunFolder) -> dict[str, str]:
    """Returns {result: path of its weights} of the results that say it, the measurement first."""
    metas = {name: _meta(run, name) for name in FILES}
    return {name: str(x["checkpoint"]) for name, x in metas.items() if x.get("checkpoint")}


def other_weights(run: RunFolder) -> dict[str, str]:
    """Returns {result: path of its weights} of results of other weights than the first has."""
    found = weights_of(run)
    first = next(iter(found.values()), "")
    return {name: weights for name, weights in found.items() if weights != first}


def other_weights_words(run: RunFolder) -> str:
    """Returns "battery.json of b.pyth, but report.json of a.pyth"; "" if all are of one network."""
    others, every = other_weights(run), weights_of(run)
    if not others:
        return ""
    named = ", ".join(f"{FILES[name]} of {weights}" for name, weights in others.items())
    first = next(iter(every))
    return f"{named}, but {FILES[first]} of {every[first]}"


def clips_are_old(run: RunFolder) -> bool:
    """Returns whether the top clips were kept by another measurement than the report's.

    Both say how long it took, to the millisecond, which no two measurements share.
    """
    if not run.report or not run.top_clips:
        return False
    metas = (_meta(run, "report"), _meta(run, "top_clips"))
    pairs = ([meta.get(key) for meta in metas] for key in ("checkpoint", "seconds"))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _meta(run: RunFolder, name: str) -> Mapping[str, Any]:
    if name == "report":
        return run.report.meta if run.report else {}
    if name == "maximised":
        return run.maximised.meta if run.maximised else {}
    return (getattr(run, name) or {}).get("meta", {})
