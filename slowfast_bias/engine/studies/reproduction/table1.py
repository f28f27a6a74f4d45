"""Table 1: what the training data make of FusionSeg, at the first and the last fusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slowfast_bias.bias import LayerBias
from slowfast_bias.engine.studies.reproduction.fig3 import score
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import FUSIONSEG
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table, beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# run -> training data
LABELS = {
    "davis_fusionseg": "DAVIS", "youtube_vos_fusionseg": "YouTube-VOS",
    "imagenet_vid_fusionseg": "ImageNet-VID", "tao_vos_fusionseg": "TAO-VOS",
    "seg_camouflage": "camouflage", "seg_appearance": "appearance", "seg_conflict": "conflict",
}  # fmt: skip
FUSIONS = (5, 2)
_COLUMNS = {
    "training data": -1, "fusion": 0, "dynamic %": 1, "published": 1, "difference": 1,
    "static %": 1, "published ": 1, "difference ": 1, "S_static": 3, "motion-only": 3,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns the shares at both fusions beside the published ones."""
    rows = [_cells(*x) for x in fusions(found)]
    made = [Table("The shares of eq. (1), and the scores", _COLUMNS, rows)]
    return [*made, published_table()] if found.places.world == "toy" else made


def fusions(found: Found) -> list[tuple[str, int, LayerBias]]:
    """Returns (training data, fusion, its bias) of whatever was measured."""
    return [
        (LABELS[name], stage, report[f"fuse{stage}"])
        for name, report in found.reports().items()
        for stage in FUSIONS
        if f"fuse{stage}" in report.layers and name in LABELS
    ]


def published_table() -> Table:
    """Returns the published shares by themselves: toy worlds are no match for any of these data."""
    columns = {"training data": -1, "fusion": 0, "dynamic %": 1, "static %": 1}
    rows = [[*key, shares.dynamic, shares.static] for key, shares in FUSIONSEG.items()]
    return Table("Published, for real data: not comparable with toy numbers", columns, rows)


def draw(found: Found) -> dict[str, Figure]:
    """Returns bars of the shares, a panel per fusion, the published ones as marks."""
    from slowfast_bias.visualization.figures.training_data import share_bars

    rows: list[dict[str, Any]] = []
    for data, stage, layer in fusions(found):
        known = FUSIONSEG.get((data, stage))
        row: dict[str, Any] = {"network": f"fusion {stage}", "data": data}
        row |= {"shares": layer.percent(), "errors": layer.stderr.get("percent", {})}
        rows.append({**row, "published": known._asdict() if known else {}})
    return {"": share_bars(rows, "the layer")} if rows else {}


def _cells(data: str, stage: int, layer: LayerBias) -> list[Cell]:
    known, ours = FUSIONSEG.get((data, stage)), layer.percent()
    dynamic = beside(ours["dynamic"], known and known.dynamic)
    static = beside(ours["static"], known and known.static)
    return [data, stage, *dynamic, *static, score(layer, "static"), score(layer, "motion")]


PLAN = FigurePlan(
    "table1",
    "FusionSeg trained on DAVIS, YouTube-VOS, ImageNet-VID and TAO-VOS, and measured on DAVIS: the "
    "shares of fusion 5 and fusion 2",
    "Of the networks that are trained here the crop, the iterations and the augmentation are ours, "
    "as they are not published. The toy network is MATNet, in three worlds.",
    toy=("seg_camouflage", "seg_appearance", "seg_conflict"),
    data=("davis_fusionseg", "youtube_vos_fusionseg", "imagenet_vid_fusionseg",
          "tao_vos_fusionseg"),
    tables=tables,
    draw=draw,
)  # fmt: skip
