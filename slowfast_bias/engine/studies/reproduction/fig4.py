"""Fig. 4: the bias of every stage of two-stream networks, in both streams and their fusion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slowfast_bias.engine.studies.reproduction.fig3 import score, titled
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = {
    "network": -1, "layer": -1, "dynamic %": 1, "static %": 1, "S_static": 3, "S_dynamic": 3,
    "motion-only": 3, "look-only": 3,
}  # fmt: skip
_STREAMS = re.compile(r"(app|mot|fuse)\d+$")


def tables(found: Found) -> list[Table]:
    """Returns the shares of the paper and our scores, a row per network and layer."""
    rows = [
        [title, layer, bias.percent()["dynamic"], bias.percent()["static"],
         *(score(bias, name) for name in ("static", "dynamic", "motion", "look"))]
        for title, report in titled(found).items()
        for layer, bias in report.layers.items()
    ]  # fmt: skip
    return [Table("Bias by stream and stage", _COLUMNS, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over stages, a column per network, of our scores and of the shares."""
    from slowfast_bias.visualization.figures.stream_panels import stream_panels

    reports = {
        title: report
        for title, report in titled(found).items()
        if any(map(_STREAMS.match, report.layers))
    }
    if not reports:
        return {}
    return {"": stream_panels(reports), "shares": stream_panels(reports, "percent")}


PLAN = FigurePlan(
    "fig4",
    "the static and the dynamic bias of FusionSeg, MATNet and RTNet by stage: appearance stream, "
    "motion stream, fusion. It names no numbers that we could read",
    "Scores are ours; the shares of the paper's eq. (1) are the second figure. FusionSeg fuses "
    "stages 2 and 5 alone, and `fusion 5` of RTNet is a stage of its decoder. The static pair is "
    "the paper's, flow in other colours; docs/SEGMENTATION.md says what it leaves. There is no "
    "toy RTNet: it takes three times as long and has not learnt its task in that time.",
    toy=("seg_camouflage", "seg_appearance", "seg_conflict", "seg_fusionseg"),
    data=("davis_fusionseg", "davis_matnet", "davis_rtnet"),
    tables=tables,
    draw=draw,
)
