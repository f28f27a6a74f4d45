"""Fig. 13: the dose response of StaticDropout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table
from slowfast_bias.visualization.reading.result_files import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = {"none": "no dropout", "standard": "standard dropout", "static": "StaticDropout"}
_COLUMNS = {
    "network": -1, "dropout": -1, "temperature": 1, "rate": 1, "seed": 0,
    "dynamic / (dynamic + static)": 3, "ordered %": 1, "shuffled %": 1, "shuffled / ordered": 3,
    "dynamic share": 3, "follows motion %": 1,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns a row per trained network."""
    titles = found.titles()
    rows = [
        [titles[name], *_cells(row)]
        for name, members in found.rows().items()
        for row in in_order(members)
    ]
    return [Table("Networks trained with dropout before the classifier", _COLUMNS, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns a figure per sweep; that of the first one is the main one."""
    from slowfast_bias.visualization.figures.dose import dose_figure

    rows = found.rows()
    first = next(iter(rows), "")
    return {"" if name == first else name: dose_figure(rows[name]) for name in rows}


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns rows of a sweep by kind, temperature, rate and seed."""
    kinds = list(KINDS)

    def place(row: Mapping[str, Any]) -> tuple[float, ...]:
        return (
            kinds.index(row["kind"]), row["temperature"] or 0.0, row["rate"] or 0.0, row["seed"]
        )  # fmt: skip

    return sorted(rows, key=place)


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    known = {key: _number(row, key) for key in ("dynamic_ratio", "ordered", "shuffled")}
    ordered, shuffled = known["ordered"], known["shuffled"]
    kept = shuffled / ordered if ordered and shuffled is not None else None
    about = [KINDS[row["kind"]], row["temperature"], row["rate"], row["seed"]]
    more = (_number(row, "dynamic_share"), _number(row, "cue_motion"))
    return [*about, known["dynamic_ratio"], ordered, shuffled, kept, *more]


def _number(row: Mapping[str, Any], key: str) -> float | None:
    value = number(row, key)
    return None if math.isnan(value) else value


PLAN = FigurePlan(
    "fig13",
    "the dose response of StaticDropout: dynamic / (dynamic + static) units, and accuracy on "
    "shuffled over that on ordered clips, over the rate of dropout",
    "One seed; docs/EXPERIMENTS.md has three of them for the toy world, where seeds differ more "
    "than rates do. Dynamic share and what networks follow are ours.",
    toy=("dropout",),
    data=("ssv2_dropout_r18", "ssv2_dropout_r50", "diving48_dropout_r18", "diving48_dropout_r50"),
    tables=tables,
    draw=draw,
)
