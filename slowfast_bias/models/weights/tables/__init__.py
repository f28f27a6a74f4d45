"""Where files of weights come from: one `Table` for each source, found by the names in a file.

A new source is a file with tables and a line in `TABLES`.
"""

from __future__ import annotations

from collections.abc import Collection

from slowfast_bias.models.weights.tables.table import Table, Weights

__all__ = ["TABLES", "Table", "Weights", "find_table"]

# In the order in which a file is compared with them: one line for each source.
TABLES: list[Table] = []


def find_table(names: Collection[str]) -> Table | None:
    """Returns the table of the source that calls its weights `names`; None if none is known."""
    return next((table for table in TABLES if table.matches(names)), None)
