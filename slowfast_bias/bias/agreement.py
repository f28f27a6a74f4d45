"""Compares two reports of one network, measured with two banks of styles, by rank agreement.

Scores differ from bank to bank, because "static" is what a bank destroys; the order should stay:
which layers, and in a layer which units, are more static than others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.report import BiasReport
from slowfast_bias.bias.scores import FACTORS
from slowfast_bias.errors import UserError
from slowfast_bias.plain_table import aligned

# What the two measurements should share, apart from the bank; seed is that of orders and styles.
_ALIKE = (
    "model", "checkpoint", "data", "videos", "frames", "sampling", "decoder", "seed", "order",
    "precision", "statistic", "threshold",
)  # fmt: skip


class DifferentLayersError(UserError, ValueError):
    """Reports of two networks, or of different layers of one: there is no order to compare."""


@dataclass(frozen=True)
class Agreement:
    """How two rows of numbers agree.

    Attributes:
        spearman: correlation of the ranks, in [-1, 1]; NaN if all values of a row are equal.
        kendall: tau-b, from the pairs in the same order and those in the opposite order.
        n: numbers in a row; those that are NaN in one of the two are left out.
        change: largest difference.
    """

    spearman: float
    kendall: float
    n: int
    change: float

    @classmethod
    def of(cls, a: Sequence[float] | torch.Tensor, b: Sequence[float] | torch.Tensor) -> Agreement:
        """Returns the agreement of two rows of equally many numbers."""
        # values that differ only by rounding are a tie
        x, y = (torch.as_tensor(row, dtype=torch.float64).round(decimals=9) for row in (a, b))
        both = ~(x.isnan() | y.isnan())
        x, y = x[both], y[both]
        change = float((x - y).abs().max()) if len(x) else math.nan
        return cls(_correlation(_ranks(x), _ranks(y)), _tau(x, y), len(x), change)


@dataclass(frozen=True)
class BankAgreement:
    """Two reports of one network, measured with different banks.

    Attributes:
        layers: {"S_static", "S_dynamic", "static %", "dynamic %", "residual %": over the layers}.
        units: {layer: {factor: over its units}}.
        kinds: {layer: share of its units that are of the same kind in both}.
        notes: reasons not to trust the comparison.
    """

    layers: dict[str, Agreement]
    units: dict[str, dict[str, Agreement]]
    kinds: dict[str, float]
    notes: list[str]

    def table(self) -> str:
        """Returns the numbers as lines of text."""
        head = ["", "Spearman", "Kendall", "n", "largest change"]
        rows = [head, *([name, *_cells(row)] for name, row in self.layers.items())]
        text = ["over the layers", *aligned(rows)]
        rows = [["", *(f"{f}: {s}" for f in FACTORS for s in head[1:3]), "n", "same kind"]]
        for layer, factors in self.units.items():
            found = [factors[factor] for factor in FACTORS]
            cells = [cell for row in found for cell in _cells(row)[:2]]
            rows.append([layer, *cells, str(found[0].n), f"{100 * self.kinds[layer]:.0f} %"])
        text += ["", "over the units of each layer", *aligned(rows)]
        return "\n".join([*text, *(f"note: {note}" for note in self.notes)])


def bank_agreement(a: BiasReport, b: BiasReport) -> BankAgreement:
    """Returns how the orders of layers and units in two reports of the same layers agree."""
    _check(a, b)
    pairs = {name: (a.layers[name], b.layers[name]) for name in a.layers}
    first, second = (_figures([pair[k] for pair in pairs.values()]) for k in (0, 1))
    return BankAgreement(
        layers={name: Agreement.of(first[name], second[name]) for name in first},
        units={
            name: {f: Agreement.of(x.unit_scores(f), y.unit_scores(f)) for f in FACTORS}
            for name, (x, y) in pairs.items()
        },
        kinds={name: _same_kind(x, y) for name, (x, y) in pairs.items()},
        notes=_notes(a, b),
    )


def _figures(layers: Sequence[LayerBias]) -> dict[str, list[float]]:
    """Returns {name: the numbers to compare over the layers}."""
    scores = {f"S_{factor}": [layer.score(factor) for layer in layers] for factor in FACTORS}
    shares = [layer.percent() for layer in layers]
    return scores | {f"{k} %": [row[k] for row in shares] for k in (*FACTORS, "residual")}


def _check(a: BiasReport, b: BiasReport) -> None:
    if set(a.layers) != set(b.layers):
        only = [sorted(set(x.layers) - set(y.layers)) for x, y in ((a, b), (b, a))]
        raise DifferentLayersError(
            f"Expected two reports of the same layers, but {only[0] or 'none'} are only in the "
            f"first and {only[1] or 'none'} only in the second. Measure the same BIAS.LAYERS."
        )
    for name, layer in a.layers.items():
        if layer.channels != b.layers[name].channels:
            raise DifferentLayersError(
                f"Expected two reports of one network, but {name} has {layer.channels} units in "
                f"the first and {b.layers[name].channels} in the second."
            )
        if not (layer.complete and b.layers[name].complete):
            raise DifferentLayersError(
                f"Expected static and dynamic pairs in both reports, but {name} was measured on "
                f"{list(layer.pairs)} and {list(b.layers[name].pairs)}."
            )


def _notes(a: BiasReport, b: BiasReport) -> list[str]:
    notes = []
    if a.meta.get("styles") == b.meta.get("styles"):
        notes.append(f"both reports are of one bank: {a.meta.get('styles', 'not known')}")
    for key in _ALIKE:
        if a.meta.get(key) != b.meta.get(key):
            notes.append(f"{key} differs: {a.meta.get(key)} and {b.meta.get(key)}")
    dropped = [len(report.meta.get("dropped_videos") or ()) for report in (a, b)]
    if any(dropped):
        notes.append(f"{dropped[0]} and {dropped[1]} videos were dropped: others may be shown")
    if len(a.layers) < 5:
        notes.append(f"{len(a.layers)} layers have few orders: agreement over them may be chance")
    return notes


def _same_kind(a: LayerBias, b: LayerBias) -> float:
    kinds = zip(a.units().values(), b.units().values(), strict=True)
    return sum(len(set(x) & set(y)) for x, y in kinds) / a.channels


def _ranks(x: torch.Tensor) -> torch.Tensor:
    """Returns ranks from 0; equal values share their mean rank."""
    return (x[:, None] > x).sum(1).double() + ((x[:, None] == x).sum(1).double() - 1) / 2


def _correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    if len(x) < 2:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x.square().sum() * y.square().sum()).sqrt())


def _tau(x: torch.Tensor, y: torch.Tensor) -> float:
    signs = [(row[:, None] - row).sign() for row in (x, y)]
    pairs = [sign.square().sum() for sign in signs]
    return float((signs[0] * signs[1]).sum() / (pairs[0] * pairs[1]).sqrt())


def _cells(row: Agreement) -> list[str]:
    return [f"{row.spearman:.3f}", f"{row.kendall:.3f}", str(row.n), f"{row.change:.3f}"]
