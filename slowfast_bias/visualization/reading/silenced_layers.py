"""The layers of a result of silenced units: several stand in one file, each drawn for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Content = Mapping[str, Any]


def by_layer(runs: Mapping[str, Content]) -> dict[str, Content]:
    """Returns {"run, layer": data of that layer} of runs of several layers, others as they are.

    Args:
        runs: {run: data of its `bias/ablation.json`}; "" for a run that needs no name.
    """
    found: dict[str, Content] = {}
    for name, data in runs.items():
        further = data.get("further") or ()
        for part in (data, *further):
            label = ", ".join(filter(None, (name, part["layer"]))) if further else name
            found[label] = {**part, "meta": data.get("meta") or {}}
    return found


def score_of(data: Content) -> str:
    """Returns what the curves are of: "accuracy", "J" or "mIoU"."""
    return data.get("score", "accuracy")  # files from before there were masks do not say
