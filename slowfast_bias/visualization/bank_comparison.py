"""What several banks of styles agree on, as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.agreement import bank_agreement
from slowfast_bias.bias.bank_grid import grid_of
from slowfast_bias.bias.bank_stability import bank_stability


def banks_text(reports: Sequence[BiasReport], names: Sequence[str] | None = None) -> str:
    """Returns the agreement of two reports unit by unit, and what is stable over all banks.

    Args:
        reports: two or more, of one network or several.
        names: of the networks, one per report; None: from the reports.
    """
    if len(reports) != 2:
        return bank_stability(reports, names).table()
    text = bank_agreement(*reports).table()
    # its notes say so if these are not one network with two banks
    if reports[0].meta.get("styles") == reports[1].meta.get("styles"):
        return text
    if len(grid_of(reports, names)) > 1:
        return text
    return f"{text}\n\n{bank_stability(reports, names).table()}"
