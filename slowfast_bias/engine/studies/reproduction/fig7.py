"""Fig. 7: what the training data make of the same network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slowfast_bias.engine.studies.reproduction.fig3 import score
from slowfast_bias.engine.studies.reproduction.found import Found, last_layer
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import TRAINING_DATA
from slowfast_bias.engine.studies.reproduction.tables import Cell, Table, beside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# run -> training data, network
LABELS = {
    f"{name}_{short}": (data, network)
    for name, data in (("kinetics", "Kinetics-400"), ("diving48", "Diving48"), ("ssv2", "SSv2"),
                       ("texture", "texture"), ("both", "both"), ("motion", "motion"))
    for short, network in (("slow", "SlowOnly"), ("fast", "FastOnly"))
}  # fmt: skip
_SHARES = {
    "training data": -1, "network": -1, "dynamic %": 1, "published": 1, "difference": 1,
    "static %": 1, "published ": 1, "difference ": 1, "S_static": 3, "motion-only": 3,
}  # fmt: skip
_ACCURACY = {
    "training data": -1, "network": -1, "top-1 %": 1, "tested on shuffled frames": 1,
    "trained on shuffled frames": 1,
}  # fmt: skip


def tables(found: Found) -> list[Table]:
    """Returns shares of the last layer beside the published ones, and accuracies."""
    shares = [_shares(*LABELS[name], last_layer(x)) for name, x in found.reports().items()]
    made = [
        Table("Last layer: the shares of eq. (1), and the scores", _SHARES, shares),
        Table("Accuracy, with 95 % intervals", _ACCURACY, _accuracies(found)),
    ]
    if found.places.world == "toy":
        made.append(published_table())
    return made


def published_table() -> Table:
    """Returns the published shares by themselves: toy tasks are no match for any of these data."""
    columns = {"training data": -1, "network": -1, "dynamic %": 1, "static %": 1}
    rows = [[*key, shares.dynamic, shares.static] for key, shares in TRAINING_DATA.items()]
    return Table("Published, for real data: not comparable with toy numbers", columns, rows)


def draw(found: Found) -> dict[str, Figure]:
    """Returns bars of the shares, a panel per network, the published ones as marks."""
    from slowfast_bias.visualization.figures.training_data import share_bars

    rows = []
    for name, report in found.reports().items():
        data, network = LABELS[name]
        layer, known = last_layer(report), TRAINING_DATA.get((data, network))
        row: dict[str, Any] = {"network": network, "data": data, "shares": layer.percent()}
        row["errors"] = layer.stderr.get("percent", {})
        row["published"] = known._asdict() if known else {}
        rows.append(row)
    return {"": share_bars(rows)} if rows else {}


def _shares(data: str, network: str, layer: Any) -> list[Cell]:
    known, ours = TRAINING_DATA.get((data, network)), layer.percent()
    dynamic = beside(ours["dynamic"], known and known.dynamic)
    static = beside(ours["static"], known and known.static)
    return [data, network, *dynamic, *static, score(layer, "static"), score(layer, "motion")]


def _accuracies(found: Found) -> list[list[Cell]]:
    orders, rows = found.orders(), []
    for name, (data, network) in LABELS.items():
        own, twin = orders.get(name), orders.get(f"{name}_shuffled")
        if own or twin:
            cells = (_accuracy(own, "ordered"), _accuracy(own, "shuffled"))
            rows.append([data, network, *cells, _accuracy(twin, "ordered")])
    return rows


def _accuracy(orders: dict[str, Any] | None, name: str) -> Cell:
    return (orders[name]["accuracy"], *orders[name]["interval"]) if orders else None


def _names(*data: str) -> tuple[str, ...]:
    runs = [f"{name}_{short}" for name in data for short in ("slow", "fast")]
    return (*runs, *(f"{run}_shuffled" for run in runs))


PLAN = FigurePlan(
    "fig7",
    "the effect of the training data: SlowOnly and FastOnly trained on Kinetics-400, Diving48 and "
    "SSv2, the shares of the last layer",
    "Each network is measured on the validation list of its own data, the paper's on Stylized "
    "ActivityNet. Twins trained on shuffled frames are ours: they say how far the data can be "
    "learnt without motion.",
    toy=_names("texture", "both", "motion"),
    data=_names("kinetics", "diving48", "ssv2"),
    tables=tables,
    draw=draw,
)
