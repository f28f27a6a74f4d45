"""Which of several networks is more static than which, in sentences below their table."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.comparison import Difference, difference, scores_to_compare
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.reading.flow_words import cautions
from slowfast_bias.visualization.tables import choose_layers

_FEW_FOLDS = 8  # below it a standard error is itself a rough guess


def difference_sentences(
    reports: Mapping[str, BiasReport], layers: Sequence[str] = ("last",), to: str = ""
) -> list[str]:
    """Returns how each network differs from one of them; of two, the first from the second.

    Args:
        reports: {network: report}.
        layers: as for `comparison_table`; networks that share none of them are compared in their
            last stages.
        to: the network that the others are compared with; "" for the second of two.
    """
    check_reference(reports, to)
    reference = to or list(reports)[-1]
    found = []
    for name in reports:
        if name != reference:
            pair = {name: reports[name], reference: reports[reference]}
            found += [x.sentence(name, reference) for x in differences_of(pair, layers)]
            found += _cautions(pair)
    return list(dict.fromkeys(found))


def check_reference(reports: Mapping[str, BiasReport], to: str) -> None:
    """Raises RequestError if the network to compare with is not one of the reports'."""
    if to and to not in reports:
        raise RequestError(
            f"Expected one of the networks {', '.join(reports)} to compare with, but got {to!r}."
        )


def differences_of(
    reports: Mapping[str, BiasReport], layers: Sequence[str] = ("last",)
) -> list[Difference]:
    """Returns the differences of two networks in each of the layers, score by score."""
    a, b = reports.values()
    return [
        difference(a, b, score, pair)
        for pair in _pairs(reports, layers)
        for score in scores_to_compare(a[pair[0]], b[pair[1]])
    ]


def _pairs(reports: Mapping[str, BiasReport], layers: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the layers to compare: those of one name, else the last stages of both."""
    first, second = choose_layers(reports, layers).values()
    common = [(layer, layer) for layer in first if layer in second]
    if common:
        return common
    return list(itertools.product(*choose_layers(reports, ["last"]).values()))


def _cautions(reports: Mapping[str, BiasReport]) -> list[str]:
    """Returns why scores or errors of these networks may mislead."""
    folds = {
        len(rows)
        for report in reports.values()
        for layer in report.layers.values()
        for rows in layer.replicates.get("pearson", {}).values()
    }
    notes = [f"note: {text}" for text in cautions(report.meta for report in reports.values())]
    few = min(folds, default=_FEW_FOLDS)
    if not 1 < few < _FEW_FOLDS:
        return notes
    return [*notes, f"note: errors from {few} groups of recordings are rough"]
