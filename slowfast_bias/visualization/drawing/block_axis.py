"""The x axis of transformers: the number of a block, and what comes after the last one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes

from slowfast_bias.bias import BiasReport

_BLOCK = re.compile(r"(.*)\.(\d+)")
_TICKS = 8  # at most


@dataclass(frozen=True)
class BlockAxis:
    """The x axis of networks of blocks, which may have different numbers of them.

    Attributes:
        blocks: of the network that has most.
        after: names of the layers that are no blocks, in network order.
    """

    blocks: int
    after: tuple[str, ...]

    @classmethod
    def of(cls, reports: Mapping[str, BiasReport]) -> BlockAxis:
        """Returns the axis on which all these reports fit."""
        numbers = [numbered(report) for report in reports.values()]
        most = max((place for found in numbers for place in found.values()), default=0)
        rest = [
            layer
            for report, found in zip(reports.values(), numbers, strict=True)
            for layer in report.layers
            if layer not in found
        ]
        return cls(most, tuple(dict.fromkeys(rest)))

    def positions(self, report: BiasReport) -> dict[str, float]:
        """Returns {layer: x}."""
        found = numbered(report)
        after = dict(zip(self.after, self._ends(), strict=True))
        return {layer: float(found.get(layer, after.get(layer, 0))) for layer in report.layers}

    def _ends(self) -> list[float]:
        """Returns where the layers after the last block stand, far enough for their names."""
        gap = 1 + self.blocks / 10
        return [self.blocks + gap * (i + 1) for i in range(len(self.after))]

    def label_axis(self, ax: Axes) -> None:
        """Sets ticks, limits and label."""
        step = next(n for n in (1, 2, 3, 4, 6, 8, 12, 24, 48, 96) if self.blocks / n <= _TICKS)
        ticks = list(range(step, self.blocks + 1, step))
        names = [str(tick) for tick in ticks]
        if step > 3:  # else 1 would touch the next one
            ticks, names = [1, *ticks], ["1", *names]
        last = self._ends()
        ax.set_xticks([*ticks, *last], [*names, *self.after])
        end = last[-1] if last else self.blocks
        ax.set(xlim=(1 - 0.035 * end, end + 0.05 * end), xlabel="block")
        ax.tick_params(axis="x", length=2.5)


def numbered(report: BiasReport) -> dict[str, int]:
    """Returns {layer: number of its block, from 1}; those of one stack follow those before it."""
    stacks: dict[str, dict[str, int]] = {}
    for layer in report.layers:
        if match := _BLOCK.fullmatch(layer):
            stacks.setdefault(match[1], {})[layer] = int(match[2]) + 1
    found: dict[str, int] = {}
    for stack in stacks.values():
        before = max(found.values(), default=0)
        found |= {layer: before + number for layer, number in stack.items()}
    return found
