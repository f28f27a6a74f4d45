"""Compares two reports of one network, measured with two banks of styles, by rank agreement.

Scores differ from bank to bank, because "static" is what a bank destroys; the order should stay:
which layers, and in a layer which units, are more static than others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.rank_agreement import Agreement, KindAgreement
from slowfast_bias.bias.report import BiasReport
from slowfast_bias.bias.report_text import TITLES
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
class BankAgreement:
    """Two reports of one network, measured with different banks.

    Attributes:
        layers: {"S_static", "S_dynamic", "motion-only", ..., "static %", ...: over the layers}.
        units: {layer: {score: over its units}}.
        kinds: {layer: of the kinds of its units}.
        notes: reasons not to trust the comparison.
    """

    layers: dict[str, Agreement]
    units: dict[str, dict[str, Agreement]]
    kinds: dict[str, KindAgreement]
    notes: list[str]

    def table(self) -> str:
        """Returns the numbers as lines of text."""
        head = ["", "Spearman", "Kendall", "n", "largest change"]
        rows = [head, *([name, *_cells(row)] for name, row in self.layers.items())]
        text = ["over the layers", *aligned(rows)]
        scores = list(next(iter(self.units.values()), {}))
        for column, name in enumerate(head[1:3]):
            rows = [["", *(TITLES[score] for score in scores), "n"]]
            for layer, found in self.units.items():
                cells = [_cells(found[score])[column] for score in scores]
                rows.append([layer, *cells, str(found[scores[0]].n)])
            text += ["", f"{name} over the units of each layer", *aligned(rows)]
        rows = [["", "same kind", "by chance", "kappa"]]
        rows += [[layer, *_kind_cells(kind)] for layer, kind in self.kinds.items()]
        text += ["", "kinds of the units of each layer", *aligned(rows)]
        return "\n".join([*text, *(f"note: {note}" for note in self._all_notes())])

    def _all_notes(self) -> list[str]:
        """Returns the notes, and what a dash in the table means."""
        rows = [
            *self.layers.values(),
            *(x for found in self.units.values() for x in found.values()),
        ]
        found = list(self.notes)
        if any(math.isnan(row.spearman) for row in rows):
            found.append(
                "- in place of Spearman and Kendall: all values of a row are equal (or there is "
                "one alone), so there is no order that could agree"
            )
        if any(math.isnan(kind.kappa) for kind in self.kinds.values()):
            found.append("- in place of kappa: all units are of one kind in both reports")
        return found


def bank_agreement(a: BiasReport, b: BiasReport) -> BankAgreement:
    """Returns how the orders of layers and units in two reports of the same layers agree."""
    _check(a, b)
    pairs = {name: (a.layers[name], b.layers[name]) for name in a.layers}
    scores = [
        score
        for score in ("static", "dynamic", "motion", "look", "content")
        if all(score in layer.measured for pair in pairs.values() for layer in pair)
    ]
    first, second = (_figures([pair[k] for pair in pairs.values()], scores) for k in (0, 1))
    return BankAgreement(
        layers={name: Agreement.of(first[name], second[name]) for name in first},
        units={
            name: {s: Agreement.of(x.unit_scores(s), y.unit_scores(s)) for s in scores}
            for name, (x, y) in pairs.items()
        },
        kinds={name: KindAgreement.of(x.units(), y.units()) for name, (x, y) in pairs.items()},
        notes=_notes(a, b),
    )


def _figures(layers: Sequence[LayerBias], scores: Sequence[str]) -> dict[str, list[float]]:
    """Returns {name: the numbers to compare over the layers}."""
    found = {TITLES[score]: [layer.score(score) for layer in layers] for score in scores}
    shares = [layer.percent() for layer in layers]
    return found | {f"{k} %": [row[k] for row in shares] for k in (*FACTORS, "residual")}


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


def _cells(row: Agreement) -> list[str]:
    return [_number(row.spearman), _number(row.kendall), str(row.n), _number(row.change)]


def _kind_cells(kinds: KindAgreement) -> list[str]:
    shares = [f"{100 * share:.0f} %" for share in (kinds.same, kinds.chance)]
    return [*shares, _number(kinds.kappa, 2)]


def _number(value: float, digits: int = 3) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
