"""What a test of masks found, of the data of `segmentation.json`: means with their intervals.

The file has a mean of each sequence; the intervals here are over them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from slowfast_bias.bias.paired import mean_interval
from slowfast_bias.visualization.reading.result_files import number

Content = Mapping[str, Any]
_SEED = 0  # of the bootstrap


@dataclass(frozen=True)
class Overall:
    """The mean of a measure over sequences, in percent.

    Attributes:
        measure: "J", "F" or "mIoU".
        mean: over sequences.
        interval: its 95 % interval, NaN of one sequence.
        sequences: their number.
    """

    measure: str
    mean: float
    interval: tuple[float, float]
    sequences: int

    def __str__(self) -> str:
        low, high = self.interval
        ends = f" [{low:.1f}, {high:.1f}]" if math.isfinite(low) else ""
        return f"{self.measure} {self.mean:.1f} %{ends} over {self.sequences} sequences"


def overall_of(data: Content | None, measure: str = "") -> Overall | None:
    """Returns a measure of a test; J if it is not named, or else mIoU; None if there is none."""
    for name in [measure] if measure else ["J", "mIoU"]:
        values = list(by_sequence(data or {}, name).values())
        if values:
            known = torch.tensor(values, dtype=torch.float64)
            ends = tuple(mean_interval(known, _SEED))
            return Overall(name, float(known.mean()), ends, len(values))
    return None


def by_sequence(data: Content, measure: str) -> dict[str, float]:
    """Returns {sequence: "J", "F" or "mIoU" in percent}, of the sequences that have it."""
    if measure == "mIoU":
        videos = (data.get("boxes") or {}).get("videos") or {}
        found = {name: number(videos, name) for name in videos}
    else:
        rows = (data.get("masks") or {}).get("sequences") or {}
        found = {name: number(row, f"{measure}_mean") for name, row in rows.items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}
