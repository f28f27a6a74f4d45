"""Fig. 10, lower part: the bias of networks of masks while they learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowfast_bias.engine.studies.reproduction.fig3 import score
from slowfast_bias.engine.studies.reproduction.fig10 import without_warnings
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYER = "fuse5"
MASK = "decoder.RF2"  # the last stage before the mask, if it was measured
_COLUMNS = {
    "network": -1, "epoch": 0, "layer": -1, "dynamic %": 1, "static %": 1, "S_static": 3,
    "motion-only": 3,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns the last fusion, and the last stage of the decoder, after each measured epoch."""
    titles, rows = found.titles(), []
    for name, epochs in found.epochs().items():
        for epoch, report in sorted(epochs.items()):
            for layer in (LAYER, MASK):
                if layer in report.layers:
                    bias = report[layer]
                    shares = (bias.percent()[kind] for kind in ("dynamic", "static"))
                    scores = (score(bias, kind) for kind in ("static", "motion"))
                    rows.append([titles[name], epoch, layer, *shares, *scores])
    return [Table("The last fusion over training", _COLUMNS, rows)]


def draw(found: Found) -> dict[str, Figure]:
    """Returns curves over epochs, a line per network, of either layer."""
    from slowfast_bias.visualization.figures.epochs import compare_epochs

    titles, made = found.titles(), {}
    for part, layer in {"": LAYER, "mask": MASK}.items():
        runs = {
            titles[name]: {n: without_warnings(x) for n, x in epochs.items()}
            for name, epochs in found.epochs().items()
            if all(layer in x.layers for x in epochs.values())
        }
        made |= {part: compare_epochs(runs, layer)} if runs else {}
    return made


PLAN = FigurePlan(
    "fig10b",
    "bias over the epochs of training of a network of masks (its lower part). The paper: most "
    "networks come to their final biases in the first half of training",
    "We do not know which epochs the paper's figure shows: here every fifth of MATNet's 25, in the "
    "toy world every second of eight.",
    toy=("seg_camouflage", "seg_appearance", "seg_conflict"),
    data=("davis_matnet",),
    tables=tables,
    draw=draw,
)
