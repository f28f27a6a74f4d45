"""Where a layer stands in a figure: its stage, pathway and tick; the axis that models share.

A report names layers in network order; `s5/0` and `s5/1` are two pathways of the stage `s5`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from slowfast_bias.bias import BiasReport

if TYPE_CHECKING:  # what only reads names of layers does without matplotlib
    from matplotlib.axes import Axes

_PATHWAY = re.compile(r"(.+)/(\d+)")
_STREAMS = ("app", "mot", "fuse")  # of two-stream networks, as `models.segmentation` names them
_STREAM = re.compile(rf"({'|'.join(_STREAMS)})\d")  # and its stage
_NUMBERED = re.compile(r"(.*\D\.)\d+")
_LETTER = 0.065  # inches a character takes at 8 points
RELATIVE = "relative depth (0: first layer measured, 1: last)"


def stage(layer: str) -> str:
    """Returns the layer's name without its pathway."""
    match = _PATHWAY.fullmatch(layer)
    return match[1] if match else layer


def pathway(layer: str) -> int | None:
    """Returns 1 for `s5/1`, None for a layer of one pathway."""
    match = _PATHWAY.fullmatch(layer)
    return int(match[2]) if match else None


def runs(layers: Iterable[str]) -> list[list[str]]:
    """Returns layers in the groups that a line joins: each stream of a two-stream network apart."""
    return [list(run) for _, run in groupby(by_stream(layers), key=stream_of)]


def spread(layers: Iterable[str], most: int) -> list[str]:
    """Returns `most` layers, evenly spread from first to last; of several streams as many of each.

    In the order of a figure.
    """
    groups = runs(layers)
    share = max(min(sum(map(len, groups)), most) // max(len(groups), 1), 1)
    found: list[str] = []
    for group in groups:
        count = min(len(group), share)
        picks = {round(i * (len(group) - 1) / max(count - 1, 1)) for i in range(count)}
        found += [group[i] for i in sorted(picks)]
    return found


def by_stream(layers: Iterable[str]) -> list[str]:
    """Returns layers in the order of a figure: network order, or one stream after the other.

    In a stream stages go up, also those of a decoder that goes down: networks share an axis.
    """
    return sorted(layers, key=_place)


def stream_of(layer: str) -> str:
    """Returns the stream of a layer of a two-stream network, "app", "mot" or "fuse"; else ""."""
    match = _STREAM.fullmatch(layer)
    return match[1] if match else ""


def _place(layer: str) -> tuple[int, int]:
    """Returns the place of a layer: app, mot, fuse by their stages, then whatever is no stream."""
    stream = stream_of(layer)
    return (_STREAMS.index(stream), int(layer[-1])) if stream else (len(_STREAMS), 0)


def stages(layers: Iterable[str]) -> list[str]:
    """Returns each stage once, in the order of a figure."""
    return list(dict.fromkeys(stage(layer) for layer in by_stream(layers)))


@dataclass(frozen=True)
class Depth:
    """The x axis of several models: named stages if one model's list holds all, else relative.

    Attributes:
        ticks: stages in network order; None if models have layers of different names.
    """

    ticks: tuple[str, ...] | None

    @classmethod
    def of(cls, reports: Mapping[str, BiasReport]) -> Depth:
        """Returns the axis on which all these reports fit."""
        lists = [stages(report.layers) for report in reports.values()]
        longest = max(lists, key=len)
        fits = all(x == [s for s in longest if s in set(x)] for x in lists)
        return cls(tuple(longest) if fits else None)

    def positions(self, report: BiasReport) -> dict[str, float]:
        """Returns {layer: x}; the pathways of a stage have the same x."""
        own = stages(report.layers)
        if self.ticks is not None:
            return {layer: float(self.ticks.index(stage(layer))) for layer in report.layers}
        last = max(len(own) - 1, 1)
        return {layer: own.index(stage(layer)) / last for layer in report.layers}

    def label_axis(self, ax: Axes, inches: float) -> None:
        """Sets ticks, limits and label of an x axis that is `inches` wide."""
        if self.ticks is None:
            ax.set(xlim=(-0.04, 1.04), xticks=[0, 0.25, 0.5, 0.75, 1], xlabel=RELATIVE)
            return
        ax.set_xlim(-0.45, len(self.ticks) - 0.55)
        name_ticks(ax, list(range(len(self.ticks))), self.ticks, inches)


def side_by_side(layers: Iterable[str]) -> tuple[dict[str, float], float]:
    """Returns ({layer: x}, width): one bar a layer, the pathways of a stage beside each other."""
    layers = list(layers)
    order, members = stages(layers), Counter(map(stage, layers))
    room = max(members.values())
    width = 0.84 / room
    seen: Counter[str] = Counter()
    positions = {}
    for layer in layers:
        name = stage(layer)
        positions[layer] = order.index(name) + (seen[name] - (members[name] - 1) / 2) * width
        seen[name] += 1
    return positions, 0.92 * width


def name_ticks(ax: Axes, positions: Iterable[float], layers: Iterable[str], inches: float) -> None:
    """Writes the layers' names below an axis `inches` wide: upright if they would touch."""
    positions, layers = list(positions), list(layers)
    labels, dropped = short_names(layers)
    along = sorted(positions)
    gaps = [b - a for a, b in zip(along, along[1:], strict=False)]
    span = along[-1] - along[0] + 1
    slot = inches * min(gaps, default=1) / span
    touches = max(map(len, labels)) * _LETTER + 0.04 > slot
    labels = [label.replace("$", r"\$") for label in labels]  # no formulas
    ax.set_xticks(positions, labels, rotation=90 if touches else 0)
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel(f"layer (N: {dropped}N)" if dropped else "layer")


def short_names(layers: Iterable[str]) -> tuple[list[str], str]:
    """Returns labels without the prefix that three or more numbered blocks share, and this."""
    layers = list(layers)
    found = [match[1] for layer in layers if (match := _NUMBERED.fullmatch(stage(layer)))]
    for prefix, times in Counter(found).most_common(1):
        if times >= 3:
            return [layer.removeprefix(prefix) for layer in layers], prefix
    return layers, ""
