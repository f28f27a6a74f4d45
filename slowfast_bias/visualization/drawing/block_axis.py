"""The x axis of networks made of numbered blocks: by block, and what is not a block at its ends.

Networks of one number of blocks share an axis of block numbers. If their numbers differ, x is the
relative depth, from 0 (the first block) to 1 (the last one measured). `head`, and whatever else
stands before or after all blocks, has a place of its own with its name below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing.layer_axis import stage, stages

RELATIVE = "relative depth (0: first block, 1: last measured)"
_GAP = 0.1  # between the blocks and each place beside them, as a share of the blocks' span
_LETTER = 0.065  # inches a character takes at 8 points
_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # between block numbers below the axis


def block_of(layer: str) -> tuple[str, int] | None:
    """Returns ("encoder.layer", 3) for a layer in `encoder.layer.3`; None if in no such list."""
    words = stage(layer).split(".")
    at = next((i for i, word in enumerate(words) if i and word.isdecimal()), None)
    return None if at is None else (".".join(words[:at]), int(words[at]))


def block_depths(layers: Iterable[str]) -> dict[str, float]:
    """Returns {stage: depth in blocks} of the first numbered stage to the last, in network order.

    Layers of one block, or between two, are evenly spread up to the next. One list of blocks
    follows on another: the first block of the second is as deep as the first has blocks.
    """
    names = stages(layers)
    numbered = [i for i, name in enumerate(names) if block_of(name)]
    if not numbered:
        return {}
    inner = names[numbered[0] : numbered[-1] + 1]
    groups: list[tuple[float, list[str]]] = []
    last, foot = ("", -1), 0
    for name in inner:
        here = block_of(name) or last
        if groups and here[0] != last[0]:
            foot += last[1] + 1
        if not groups or here != last:
            groups.append((foot + here[1], []))
        groups[-1][1].append(name)
        last = here
    return {
        name: depth + i / len(members)
        for depth, members in groups
        for i, name in enumerate(members)
    }


@dataclass(frozen=True)
class BlockDepth:
    """The x axis of several networks of blocks.

    Attributes:
        last: depth of the last block if it is the same in all; None if x is relative.
        before: stages before all blocks, in network order.
        after: stages after all blocks, in network order, `head` last.
    """

    last: float | None
    before: tuple[str, ...]
    after: tuple[str, ...]

    @classmethod
    def of(cls, reports: Mapping[str, BiasReport]) -> BlockDepth | None:
        """Returns the axis on which all these reports fit; None if one has no numbered blocks."""
        lists = [stages(report.layers) for report in reports.values()]
        depths = [block_depths(names) for names in lists]
        if not all(depths):
            return None
        ends = {max(x.values()) for x in depths}
        edges = [_around(names, inner) for names, inner in zip(lists, depths, strict=True)]
        before = dict.fromkeys(name for first, _ in edges for name in first)
        after = dict.fromkeys(name for _, rest in edges for name in rest)
        end = ends.pop() if len(ends) == 1 else None
        return cls(end, tuple(before), tuple(sorted(after, key="head".__eq__)))

    @property
    def span(self) -> float:
        """The x of the last block; the first has 0."""
        return self.last or 1.0

    def positions(self, report: BiasReport) -> dict[str, float]:
        """Returns {layer: x}; the pathways of a stage have the same x."""
        depths = block_depths(report.layers)
        scale = self.span / (max(depths.values()) or 1.0)
        places = {name: depth * scale for name, depth in depths.items()}
        left, right = self._beside()
        before, after = _around(stages(report.layers), depths)
        places |= {name: left[name] for name in before} | {name: right[name] for name in after}
        return {layer: places[stage(layer)] for layer in report.layers}

    def label_axis(self, ax: Axes, inches: float) -> None:
        """Sets ticks, limits and label of an x axis that is `inches` wide."""
        (left, right), gap = self._beside(), self._gap()
        low, high = min([0.0, *left.values()]), max([self.span, *right.values()])
        room = 0.6 * gap
        ax.set_xlim(low - room, high + room)
        inch = (high - low + 2 * room) / inches
        ticks = self._block_ticks(inch)
        beside = [*left.items(), *right.items()]
        names = {x: name.rpartition(".")[2] for name, x in beside}
        ax.set_xticks([*ticks, *names], [*ticks.values(), *names.values()])
        crowded = max(len(self.before), len(self.after)) > 1
        slot = (1.0 if crowded else 1.6) * gap / inch
        upright = max(map(len, names.values()), default=0) * _LETTER > slot
        for label in ax.get_xticklabels()[len(ticks) :]:
            label.set_rotation(90 if upright else 0)
        for x, there in ((-gap / 2, self.before), (self.span + gap / 2, self.after)):
            if there:
                ax.axvline(x, color="#E6E6E6", lw=0.6, zorder=0.5, gid="end of blocks")
        ax.tick_params(axis="x", length=0)
        ax.set_xlabel(RELATIVE if self.last is None else "block")

    def _gap(self) -> float:
        return _GAP if self.last is None else max(_GAP * self.span, 1.0)

    def _beside(self) -> tuple[dict[str, float], dict[str, float]]:
        """Returns {stage: x} of what is before and of what is after all blocks."""
        gap, count = self._gap(), len(self.before)
        left = {name: (i - count) * gap for i, name in enumerate(self.before)}
        return left, {name: self.span + (i + 1) * gap for i, name in enumerate(self.after)}

    def _block_ticks(self, inch: float) -> dict[float, str]:
        """Returns {x: text}: as many block numbers as have room, an inch being `inch` blocks."""
        if self.last is None:
            return {x: f"{x:g}" for x in (0.0, 0.25, 0.5, 0.75, 1.0)}
        slot = 3 * _LETTER * inch
        step = next((x for x in _STEPS if x >= slot), _STEPS[-1])
        return {float(i): f"{i}" for i in range(0, int(self.last) + 1, step)}


def _around(names: list[str], inner: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Returns the stages before and after the blocks of one network."""
    at = [i for i, name in enumerate(names) if name in inner]
    return names[: at[0]], names[at[-1] + 1 :]
