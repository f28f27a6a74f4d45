"""Fig. 8: units of FusionSeg by its training data, and where in the frames objects are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.engine.studies.reproduction.found import Found, unit_shares
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import FUSIONSEG_UNITS
from slowfast_bias.engine.studies.reproduction.table1 import PLAN as TABLE1
from slowfast_bias.engine.studies.reproduction.table1 import fusions
from slowfast_bias.engine.studies.reproduction.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = ("static", "dynamic", "joint", "residual")
_CENTRE = {
    "data": -1, "frames": 0, "object %": 1, "in the middle quarter %": 1, "fixed mask, J %": 1,
    "threshold %": 1,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns units by kind beside the published ones, and the numbers of centre bias."""
    columns = {"training data": -1, "fusion": 0}
    for i, kind in enumerate(_SHOWN):
        columns |= {f"{kind} %": 1, f"published{' ' * i}": 1}
    rows = []
    for data, stage, layer in fusions(found):
        known, ours = FUSIONSEG_UNITS.get((data, stage)), unit_shares(layer)
        pairs = ((ours[kind], getattr(known, kind, None)) for kind in _SHOWN)
        rows.append([data, stage, *(cell for pair in pairs for cell in pair)])
    made = [Table("Kinds of units", columns, rows), _centres(found)]
    return [*made, published_table()] if found.places.world == "toy" else made


def published_table() -> Table:
    """Returns the published units by themselves."""
    columns = {"training data": -1, "fusion": 0, **{f"{kind} %": 1 for kind in _SHOWN}}
    rows = [
        [*key, *(getattr(units, kind) for kind in _SHOWN)] for key, units in FUSIONSEG_UNITS.items()
    ]
    return Table("Published, for real data: not comparable with toy numbers", columns, rows)


def draw(found: Found) -> dict[str, Figure]:
    """Returns the maps of centre bias, and units by kind, a panel per training data."""
    from slowfast_bias.bias import BiasReport
    from slowfast_bias.visualization.figures.centre import centre_figure
    from slowfast_bias.visualization.figures.unit_bars import unit_bars

    titles, made = found.titles(), {}
    if centres := found.centres():
        made[""] = centre_figure({_data(titles[name]): x for name, x in centres.items()})
    reports = {
        titles[name]: BiasReport(
            {layer: bias for layer, bias in report.layers.items() if layer in ("fuse2", "fuse5")},
            report.meta,
        )
        for name, report in found.reports().items()
        if "fuse5" in report.layers
    }
    return made | ({"units": unit_bars(reports)} if reports else {})


def _centres(found: Found) -> Table:
    titles, rows = found.titles(), []
    for name, data in found.centres().items():
        low, high = (float("nan") if x is None else x for x in data["interval"])
        fixed = data["fixed_mask"]
        rows.append([
            _data(titles[name]), data["frames"], data["object_share"],
            (data["central"], low, high), fixed["J"], fixed["threshold"],
        ])  # fmt: skip
    return Table("Where objects are, in the training list; 95 % interval", _CENTRE, rows)


def _data(title: str) -> str:
    """Returns the data of a run's title."""
    return title.rpartition(", ")[2].removeprefix("training on ")


PLAN = FigurePlan(
    "fig8",
    "the training data of FusionSeg: kinds of units, and maps of where in the frames objects are",
    "Published units are those of the authors' figures of FusionSeg by training data, read off to "
    "half a point; we know the maps of the paper by their form alone. The middle quarter, and what "
    "a fixed mask scores, are ours.",
    toy=TABLE1.toy,
    data=(*TABLE1.data, "youtube_vos_training", "imagenet_vid_training", "tao_vos_training"),
    tables=tables,
    draw=draw,
)
