"""What several banks of styles agree on: the order of layers, the sign of motion, of networks.

    print(bank_stability([colour, randconv, films]).table())     # reports of one network
    print(bank_stability([a_colour, b_colour, a_randconv, b_randconv]).table())

Scores are sizes relative to a bank; what may be told of a network is what no bank turns round.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.bias.bank_grid import Grid, grid_of
from slowfast_bias.bias.bank_verdicts import OrderOfTwo, motion_flips
from slowfast_bias.bias.comparison import Difference, difference
from slowfast_bias.bias.rank_agreement import Agreement
from slowfast_bias.bias.report import BiasReport
from slowfast_bias.bias.report_text import TITLES
from slowfast_bias.errors import RequestError
from slowfast_bias.plain_table import aligned

SCORES = ("static", "motion", "content", "dynamic")


@dataclass(frozen=True)
class LayerOrder:
    """Spearman's correlation over the layers of a network, for every pair of banks.

    Attributes:
        layers: how many are in all reports.
        spearman: one for each pair of banks; NaN where all scores of a bank are equal.
    """

    layers: int
    spearman: tuple[float, ...]

    def cells(self) -> list[str]:
        """Returns the smallest, the median, the pairs of banks and the layers."""
        known = [x for x in self.spearman if not math.isnan(x)]
        shown = ["-", "-"]
        if known:
            shown = [f"{min(known):.3f}", f"{statistics.median(known):.3f}"]
        return [*shown, str(len(known)), str(self.layers)]


@dataclass(frozen=True)
class BankStability:
    """What is stable over banks, and what turns round.

    Attributes:
        banks: their names.
        layers: {network: {score: the order of its layers}}, networks with several banks.
        motion: sentences: layers whose motion-only has another sign in another bank.
        networks: {score: every two networks, at their last layers}.
        notes: how to read it.
    """

    banks: list[str]
    layers: dict[str, dict[str, LayerOrder]]
    motion: list[str]
    networks: dict[str, list[OrderOfTwo]]
    notes: list[str]

    def table(self) -> str:
        """Returns all of it as lines of text."""
        rows = [["", "score", "lowest Spearman", "median", "pairs of banks", "layers"]]
        for network, found in self.layers.items():
            rows += [[network, TITLES[score], *row.cells()] for score, row in found.items()]
        text = [f"banks: {', '.join(self.banks)}"]
        if len(rows) > 1:
            text += ["", "order of the layers, between banks", *aligned(rows)]
        if any("motion" in found for found in self.layers.values()):
            text += ["", "sign of motion-only, beyond 2 errors"]
            text += self.motion or ["no layer has another sign in another bank"]
        if self.networks:
            text += ["", "order of the networks at their last layers, differences in errors"]
            rows = [["score", "networks", *self.banks, "order"]]
            for score, pairs in self.networks.items():
                rows += [[TITLES[score], *pair.cells(self.banks)] for pair in pairs]
            text += aligned(rows)
        return "\n".join([*text, *(f"note: {note}" for note in self.notes)])


def bank_stability(
    reports: Sequence[BiasReport], names: Sequence[str] | None = None
) -> BankStability:
    """Returns what the banks agree on.

    Args:
        reports: of one or several networks, each measured with two banks or more. Its `meta` says
            of which network (name, model, checkpoint) and of which bank (styles) a report is.
        names: of the networks, one per report; None: from `meta`.
    """
    grid = grid_of(reports, names)
    banks = list(dict.fromkeys(bank for by_bank in grid.values() for bank in by_bank))
    several = {network: found for network, found in grid.items() if len(found) > 1}
    if not several:
        raise RequestError(
            f"Expected a network measured with two banks or more, but each of {', '.join(grid)} "
            "has one (`styles` in the meta of a report says which)."
        )
    return BankStability(
        banks=banks,
        layers={network: _layer_orders(list(found.values())) for network, found in several.items()},
        motion=[line for name, found in several.items() for line in motion_flips(name, found)],
        networks=_network_orders(grid),
        notes=_notes(grid, banks),
    )


def _layer_orders(reports: Sequence[BiasReport]) -> dict[str, LayerOrder]:
    """Returns {score: order} of the scores and layers that all reports of a network have."""
    first, *others = reports
    layers = [name for name in first.layers if all(name in x.layers for x in others)]
    found = {}
    for score in SCORES:
        if not layers or any(score not in x[name].measured for x in reports for name in layers):
            continue
        rows = [[x[name].score(score) for name in layers] for x in reports]
        pairs = itertools.combinations(rows, 2)
        found[score] = LayerOrder(len(layers), tuple(Agreement.of(*p).spearman for p in pairs))
    return found


def _network_orders(grid: Grid) -> dict[str, list[OrderOfTwo]]:
    """Returns {score: every two networks that share two banks or more}, at the last layers."""
    found: dict[str, list[OrderOfTwo]] = {}
    for a, b in itertools.combinations(grid, 2):
        common = [bank for bank in grid[a] if bank in grid[b]]
        if len(common) < 2:
            continue
        for score in SCORES:
            by_bank = {bank: _at_the_end(grid[a][bank], grid[b][bank], score) for bank in common}
            known = {bank: x for bank, x in by_bank.items() if x is not None}
            if len(known) == len(common):
                found.setdefault(score, []).append(OrderOfTwo(a, b, known))
    return found


def _at_the_end(a: BiasReport, b: BiasReport, score: str) -> Difference | None:
    """Returns the difference of two networks at their last layers; None if one lacks the score."""
    ends = list(a.layers)[-1], list(b.layers)[-1]
    if score not in a[ends[0]].measured or score not in b[ends[1]].measured:
        return None
    return difference(a, b, score, ends)


def _notes(grid: Grid, banks: Sequence[str]) -> list[str]:
    found = []
    few = min(len(x.layers) for by_bank in grid.values() for x in by_bank.values())
    if few < 5:
        found.append(f"{few} layers have few orders: agreement over them may be chance")
    lacking = {network: [bank for bank in banks if bank not in by] for network, by in grid.items()}
    found += [f"{name} was not measured with {', '.join(x)}" for name, x in lacking.items() if x]
    every = (x for by_bank in grid.values() for x in by_bank.values())
    used = {layer.statistic for report in every for layer in report.layers.values()}
    if len(used) > 1:
        found.append(f"reports differ in their statistic: {', '.join(sorted(used))}")
    return found
