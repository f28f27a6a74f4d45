"""Where files of weights come from: one `Table` for each source, found by the names in a file.

A new source is a file with tables and a line in `TABLES`.
"""

from __future__ import annotations

from collections.abc import Collection

from slowfast_bias.models.weights.tables import (
    inception_i3d,
    mmaction,
    pytorchvideo,
    timesformer,
    videomae,
    vjepa2,
)
from slowfast_bias.models.weights.tables.table import NoPlaceError, Table, Weights

__all__ = ["TABLES", "NoPlaceError", "Table", "Weights", "colours_of", "find_table"]

# In the order in which a file is compared with them: one line for each source.
TABLES: list[Table] = [
    *(pytorchvideo.RESNETS, pytorchvideo.MVIT),
    *(mmaction.SLOWFAST, mmaction.X3D, mmaction.RESNETS),
    *(timesformer.TIMESFORMER, videomae.VIDEOMAE, vjepa2.VJEPA2),
    *(inception_i3d.PORT, inception_i3d.SECOND_PORT, inception_i3d.JAX),
]


def find_table(names: Collection[str]) -> Table | None:
    """Returns the table of the source that calls its weights `names`; None if none is known."""
    return next((table for table in TABLES if table.matches(names)), None)


def colours_of(table: Table | None) -> dict[str, list[float]]:
    """Returns {config key: value} of what a source's networks had done to colours, if it differs.

    The keys are DATA.MEAN and DATA.STD.
    """
    pairs = {"DATA.MEAN": table.mean, "DATA.STD": table.std} if table is not None else {}
    return {key: list(value) for key, value in pairs.items() if value is not None}
