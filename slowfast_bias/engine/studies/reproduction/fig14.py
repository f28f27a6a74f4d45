"""Fig. 14: what StaticDropout does to accuracy, and to rare and common classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.reproduction.fig13 import KINDS, in_order
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import DROPOUT, Debiased
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table, beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# sweep -> the name of its data
LABELS = {
    "ssv2_dropout_r50": "SSv2",
    "something_else_dropout_r50": "Something-Else",
    "dropout": "texture and motion agree",
    "dropout_weaker": "they agree in 9 of 10",
}
_COLUMNS = {
    "data": -1, "dropout": -1, "temperature": 1, "rate": 1, "top-1 %": 1, "published": 2,
    "difference": 2, "dynamic units %": 1, "published ": 1, "difference ": 1,
    "least common classes %": 1, "most common classes %": 1,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns a row per trained network; in the toy world, the published ones below."""
    rows = [_cells(LABELS[name], row, found) for name, row in _rows(found)]
    made = [Table("Networks trained with dropout before the classifier", _COLUMNS, rows)]
    return [*made, published_table()] if found.places.world == "toy" else made


def published_table() -> Table:
    """Returns the published numbers by themselves."""
    columns = {"data": -1, "dropout": -1, "rate": 1, "top-1 %": 2, "dynamic units %": 1}
    rows = [
        [data, KINDS[kind], rate, known.top1, known.dynamic_units]
        for (data, kind, rate), known in DROPOUT.items()
    ]
    return Table("Published, for real data: not comparable with toy numbers", columns, rows)


def draw(found: Found) -> dict[str, Figure]:
    """Returns bars of accuracy, of dynamic units, and of rare and common classes."""
    from slowfast_bias.visualization.figures.debiasing import debiasing_bars

    rows = []
    for name, row in _rows(found):
        known = _published(LABELS[name], row)
        rows.append({
            "data": LABELS[name], "dropout": _treatment(row),
            "top1": row["ordered"], "dynamic": row.get("units", {}).get("dynamic"),
            "published": known._asdict() if known else {},
            **({} if _alike(found) else {k: row[k] for k in ("least_common", "most_common")}),
        })  # fmt: skip
    return {"": debiasing_bars(rows)} if rows else {}


def _rows(found: Found) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns (sweep, row) of all that fig. 14 shows: it has no rate of 0.7."""
    every = [(name, row) for name, rows in found.rows().items() for row in in_order(rows)]
    shown = [(name, row) for name, row in every if row["rate"] in (None, 0.1, 0.3, 0.5)]
    return [(name, row) for name, row in shown if row["kind"] != "standard" or row["rate"] == 0.5]


def _published(data: str, row: Mapping[str, Any]) -> Debiased | None:
    rate = None if row["kind"] == "standard" else row["rate"]
    return DROPOUT.get((data, row["kind"], rate))


def _cells(data: str, row: Mapping[str, Any], found: Found) -> list[Cell]:
    known = _published(data, row)
    top1 = beside(row["ordered"], known and known.top1)
    dynamic = beside(row.get("units", {}).get("dynamic"), known and known.dynamic_units)
    classes = (None, None) if _alike(found) else (row["least_common"], row["most_common"])
    return [data, KINDS[row["kind"]], row["temperature"], row["rate"], *top1, *dynamic, *classes]


def _alike(found: Found) -> bool:
    """Returns whether all classes have as many clips, as in the toy world: none is rare."""
    return found.places.world == "toy"


def _treatment(row: Mapping[str, Any]) -> str:
    rate = "" if row["rate"] is None else f" {row['rate']:g}"
    heat = "" if row["temperature"] is None else f", temperature {row['temperature']:g}"
    return f"{row['kind']}{rate}{heat}"


PLAN = FigurePlan(
    "fig14",
    "StaticDropout on SSv2 and Something-Else: top-1, dynamic units, and the accuracy of the least "
    "and the most common classes",
    "The rate of the paper's standard dropout is not known to us: ours has 0.5, that of the "
    "recipe. The least and most common classes are ten each.",
    toy=("dropout", "dropout_weaker"),
    data=("ssv2_dropout_r50", "something_else_dropout_r50"),
    tables=tables,
    draw=draw,
)
