"""Fig. 15: variants of MATNet: the units of the last fusion, and camouflaged animals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.reproduction.found import Found, unit_shares
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import FUSION5_UNITS, MOCA
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slowfast_bias.bias import BiasReport

LAYER = "fuse5"
_SHOWN = ("dynamic", "static", "joint", "residual")
_AUTHORS = "encoder_0.pt"
_RATES = ("SR_0.5", "SR_0.7", "SR_0.9")
_SUCCESS = (0, 2, 4)  # of the published five
# The networks of ours that are one of the published: those of MATNet are trained on DAVIS alone,
# if it is not the authors' file.
SAME = {
    "FusionSeg, DAVIS": "FusionSeg", "FusionSeg, on MoCA": "FusionSeg",
    "RTNet": "RTNet", "RTNet, on MoCA": "RTNet",
    "MATNet": "MATNet without YouTube-VOS", "MATNet, on MoCA": "MATNet without YouTube-VOS",
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns units, and figures of masks, beside the published ones; and all published ones."""
    units = {"network": -1}
    for i, kind in enumerate(_SHOWN):
        units |= {f"{kind} %": 1, f"published{' ' * i}": 1}
    units["joint / dynamic %"] = 1
    rows = [_units(title, report) for title, report in _fused(found).items()]
    masks = {"network": -1, "J %": 1, "F %": 1, "mIoU %": 1, "published": 1}
    for i, rate in enumerate(_RATES, 1):
        masks |= {f"success at {rate.removeprefix('SR_')} %": 1, f"published{' ' * i}": 1}
    titles = found.titles()
    scores = [_scores(titles[name], data) for name, data in found.segmentation().items()]
    return [
        Table("Units of the last fusion", units, rows),
        Table("Masks", masks, scores),
        *published_tables(),
    ]


def published_tables() -> list[Table]:
    """Returns what is published of all networks, also of those that have no match here."""
    units = [[name, *known] for name, known in FUSION5_UNITS.items()]
    moca = [
        [name, "yes" if known.mirror else "no", known.overlap, *known.success]
        for name, known in MOCA.items()
    ]
    rates = {f"success at .{n} %": 1 for n in (5, 6, 7, 8, 9)}
    return [
        Table("Published: units of fusion 5", {"network": -1, **{f"{k} %": 1 for k in _SHOWN}},
              units),
        Table("Published: MoCA, masks cut at .2",
              {"network": -1, "mirrored": -1, "mIoU %": 1, **rates}, moca),
    ]  # fmt: skip


def draw(found: Found) -> dict[str, Figure]:
    """Returns the units of the last fusion, a row per network, published ones below ours."""
    from slowfast_bias.visualization.figures.unit_rows import unit_rows

    reports = _fused(found)
    names = {title: _published(title, report.meta) for title, report in reports.items()}
    known = {x: FUSION5_UNITS[y]._asdict() for x, y in names.items() if y in FUSION5_UNITS}
    return {"": unit_rows(reports, LAYER, known)} if reports else {}


def _fused(found: Found) -> dict[str, BiasReport]:
    titles = found.titles()
    return {
        titles[name]: report
        for name, report in found.reports().items()
        if LAYER in report.layers and not name.startswith("moca_")
    }


def _units(title: str, report: BiasReport) -> list[Cell]:
    ours = unit_shares(report[LAYER])
    known = FUSION5_UNITS.get(_published(title, report.meta))
    row: list[Cell] = [title]
    for kind in _SHOWN:
        row += [ours[kind], getattr(known, kind, None)]
    return [*row, 100 * ours["joint"] / ours["dynamic"] if ours["dynamic"] else None]


def _published(title: str, meta: Mapping[str, Any]) -> str:
    """Returns which of the published networks ours is; "" if none."""
    if title.startswith("MATNet") and str(meta.get("checkpoint")).endswith(_AUTHORS):
        return "MATNet, its authors' file"
    return SAME.get(title, "")


def _scores(title: str, data: Mapping[str, Any]) -> list[Cell]:
    means = data["masks"]["means"] if "masks" in data else {}
    boxes, known = data.get("boxes", {}).get("means", {}), MOCA.get(_published(title, data["meta"]))
    known = known if boxes else None
    row: list[Cell] = [title, means.get("J_mean"), means.get("F_mean"), boxes.get("mIoU")]
    row.append(known.overlap if known else None)
    for rate, place in zip(_RATES, _SUCCESS, strict=True):
        row += [boxes.get(rate), known.success[place] if known else None]
    return row


PLAN = FigurePlan(
    "fig15",
    "networks of masks and variants of MATNet: the kinds of units of fusion 5, and mIoU and "
    "success rates on MoCA",
    "Networks that are trained here learn DAVIS alone, so that only one published MATNet has the "
    "same data. Masks of MoCA are cut at .2 and not mirrored, as most published numbers; the +9.9 "
    "of the paper's text compares a mirrored network with one that is not. Which of two ways of "
    "crossing its `both` is, with gates or without, we do not know.",
    toy=("seg_conflict", "seg_fusionseg", "seg_matnet_up",
         "seg_matnet_no_boundaries", "seg_matnet_convex", "seg_matnet_both"),
    data=("davis_fusionseg", "davis_rtnet", "davis_matnet", "davis_matnet_no_boundaries",
          "davis_matnet_convex", "davis_matnet_both", "moca_fusionseg", "moca_rtnet",
          "moca_matnet", "moca_matnet_no_boundaries", "moca_matnet_convex", "moca_matnet_both"),
    tables=tables,
    draw=draw,
)  # fmt: skip
