"""Floor 0: rows of text as an aligned table for a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def aligned(rows: Rows) -> list[str]:
    """Returns the rows as lines of equal length: the first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def markdown(rows: Rows, left: int = 1) -> list[str]:
    """Returns the rows, the first one the head, as a Markdown table; `left` columns are names."""
    head, *body = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    rule = [*["---"] * left, *["---:"] * (len(head) - left)]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]
