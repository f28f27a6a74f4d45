"""The units of a layer that are shown, one kind after the other, and the clips that drive them.

A unit is shown under the kind that its report counts it in, so no figure contradicts another, and a
layer without units of a kind shows none. Which of a kind come first, their contrasts decide where
they were measured: of a layer that sees frames one by one, every s_static is 1, and rounding would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from slowfast_bias.bias.extremes import Extremes, Ranked
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.layout import Layout
from slowfast_bias.bias.scores import FACTORS, HEADLINE

SHOWN = ("static", "dynamic", "joint", "residual")  # kinds of units, in the order of files
# kind -> the contrast by which its units are ranked, if there were pairs "neither"
_CONTRASTS = {"static": "look", "dynamic": "motion", "joint": "content"}


@dataclass(frozen=True)
class TopUnit:
    """A unit and its clips.

    Attributes:
        layer: its layer.
        unit: its channel.
        kind: static, dynamic, joint or residual.
        scores: of the unit: static, motion and content, or static and dynamic.
        most: the clips that drive it most, the first one most.
        least: those that drive it least.
    """

    layer: str
    unit: int
    kind: str
    scores: dict[str, float]
    most: list[Ranked]
    least: list[Ranked]

    def videos(self) -> list[int]:
        """Returns the numbers of its clips."""
        return [ranked.video for ranked in (*self.most, *self.least)]


def choose_units(layer: LayerBias, each: int) -> dict[str, list[int]]:
    """Returns {kind: the units that are it most}, at most `each` of a kind; never dead ones."""
    chosen = {}
    for kind, units in layer.units().items():
        if kind in SHOWN:
            order = _degree(layer, kind)[units].argsort(descending=True, stable=True)
            chosen[kind] = [units[place] for place in order[:each].tolist()]
    return {kind: chosen[kind] for kind in SHOWN}


def _degree(layer: LayerBias, kind: str) -> Tensor:
    """Returns how much every unit is what makes its kind, (C,)."""
    contrast = _CONTRASTS.get(kind)
    if contrast in layer.measured:
        return layer.unit_scores(contrast)
    static, dynamic = (layer.unit_scores(factor) for factor in FACTORS)
    if kind in FACTORS:
        return static if kind == "static" else dynamic
    return torch.minimum(static, dynamic) if kind == "joint" else -torch.maximum(static, dynamic)


def top_units(layers: Mapping[str, LayerBias], extremes: Extremes, each: int) -> list[TopUnit]:
    """Returns the units that are shown, with all clips that were kept of them.

    No clip is both among the most and among the least: of few videos each end shows half.

    Args:
        layers: of a report, with both factors.
        extremes: of the columns of all of them, side by side.
        each: how many units of a kind and a layer.
    """
    found = []
    for name, columns in Layout({n: x.channels for n, x in layers.items()}).columns().items():
        layer = layers[name]
        scores = [s for s in (HEADLINE if "motion" in layer.measured else FACTORS)]
        shown = min(extremes.k, layer.pairs["static"] // 2)
        for kind, units in choose_units(layer, each).items():
            for unit in units:
                column = columns.start + unit
                found.append(
                    TopUnit(
                        layer=name,
                        unit=unit,
                        kind=kind,
                        scores={s: layer.unit_scores(s)[unit].item() for s in scores},
                        most=extremes.most(column)[:shown],
                        least=extremes.least(column)[:shown],
                    )
                )
    return found


def with_few_videos(units: Sequence[TopUnit], most: int) -> list[TopUnit]:
    """Returns the units with fewer clips each, so that they need at most `most` videos in all.

    First places come first, of all units, then second ones: each list loses its end alone.
    """
    videos: set[int] = set()
    lists = [ranked for unit in units for ranked in (unit.most, unit.least)]
    kept = [0] * len(lists)
    for place in range(max(map(len, lists), default=0)):
        for number, ranked in enumerate(lists):
            whole = kept[number] == place < len(ranked)
            if whole and (ranked[place].video in videos or len(videos) < most):
                videos.add(ranked[place].video)
                kept[number] += 1
    ends = iter([ranked[:count] for ranked, count in zip(lists, kept, strict=True)])
    return [replace(unit, most=next(ends), least=next(ends)) for unit in units]
