"""Bias over training: the scores of a run's layers epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slowfast_bias.bias.origin import flow_pairs
from slowfast_bias.bias.report_text import TITLES
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Figure,
    Heading,
    Key,
    Note,
    Panel,
    Section,
    Table,
    count_cell,
    score_cell,
)
from slowfast_bias.visualization.html.charts.axis import Names, Span
from slowfast_bias.visualization.html.charts.lines import Point, Series, line_panel
from slowfast_bias.visualization.html.evidence import last_layer
from slowfast_bias.visualization.html.networks import networks_of
from slowfast_bias.visualization.reading.epoch_files import (
    Epochs,
    check_epochs,
    chosen_stages,
    common_layers,
)
from slowfast_bias.visualization.reading.headline import headline, reading
from slowfast_bias.visualization.reading.run_folder import RunFolder

_PANELS = 6  # layers of one run


def training_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the scores over epochs: of one run every layer, of several the last one of each."""
    trained = {name: check_epochs(run.epochs) for name, run in runs.items() if run.epochs}
    if not trained:
        return None
    blocks: list[object] = []
    if len(trained) == 1:
        ((name, epochs),) = trained.items()
        blocks += [*([Heading(name)] if len(runs) > 1 else []), _one_run(epochs)]
    else:
        looks = {x.name: x.look for x in networks_of(runs)}
        blocks.append(_several(trained, {name: looks.get(name, "reference") for name in trained}))
    flow = all(flow_pairs(x.meta) for epochs in trained.values() for x in epochs.values())
    over = "sequences" if flow else "recordings"
    lead = f"Measured after whole epochs; bands are one standard error over {over}."
    if any(0 in epochs for epochs in trained.values()):
        lead += " Epoch 0 is the untrained network."
    return Section("training", "Over training", blocks, lead)


def _one_run(epochs: Epochs) -> object:
    try:
        layers = common_layers(epochs)
    except RequestError as error:
        return Note(f"{error}", warning=True)
    columns = chosen_stages(layers, next(iter(epochs.values())), None, _PANELS)
    scores, axis = headline(epochs.values()), _axis([epochs])
    shown = {name: members[0] for name, members in columns.items()}
    lines = {
        layer: [_line(epochs, layer, score, TITLES[score], score) for score in scores]
        for layer in shown.values()
    }
    ends = [v for x in lines.values() for line in x for p in line.points for v in (p.low, p.high)]
    span = Span.around([*ends, *(p.y for x in lines.values() for n in x for p in n.points), 0.0])
    panels = [
        Panel(layer, line_panel(f"Scores of {layer} over epochs", lines[layer], axis, span))
        for layer in shown.values()
    ]
    keys = [Key(TITLES[score], score) for score in scores]
    rows = [(epoch, layer) for epoch in epochs for layer in layers]
    table = _table([([count_cell(e), Cell(x, x)], epochs[e][x]) for e, x in rows], scores,
                   ["epoch", "layer"])  # fmt: skip
    return Figure("Scores over epochs", panels, keys, table)


def _several(trained: Mapping[str, Epochs], looks: Mapping[str, str]) -> Figure:
    last = {name: last_layer(epochs[max(epochs)]) for name, epochs in trained.items()}
    scores = headline(report for epochs in trained.values() for report in epochs.values())
    axis = _axis(trained.values())
    panels = [
        Panel(
            TITLES[score],
            line_panel(
                f"{TITLES[score]} over epochs of {words.listed(list(trained))}",
                [_line(x, last[name], score, name, looks[name]) for name, x in trained.items()],
                axis,
                zero=score != "static",
            ),
        )
        for score in scores
    ]
    keys = [Key(f"{name} ({last[name]})", looks[name]) for name in trained]
    rows = [
        ([Cell(name, name), count_cell(epoch)], report[last[name]])
        for name, epochs in trained.items()
        for epoch, report in epochs.items()
        if last[name] in report.layers
    ]
    return Figure("Scores over epochs", panels, keys, _table(rows, scores, ["run", "epoch"]))


def _line(epochs: Epochs, layer: str, score: str, name: str, look: str) -> Series:
    read, points = reading(score, "score"), []
    for epoch, report in epochs.items():
        if layer in report.layers and score in report[layer].measured:
            value, error = read(report[layer])
            points.append(Point(float(epoch), value, value - error, value + error))
    return Series(name, points, look, band=True)


def _axis(runs: Sequence[Epochs] | object) -> Names:
    numbers = sorted({epoch for epochs in runs for epoch in epochs})
    step = max(-(-len(numbers) // 8), 1)
    ticks = {float(x): str(x) for x in numbers[::-1][::step]}
    return Names(ticks, "epoch", tuple(map(float, numbers[:1])))


def _table(rows: Sequence[tuple], scores: Sequence[str], names: list[str]) -> Table:
    cells = [
        [*first, *(score_cell(*reading(score, "score")(layer)) for score in scores)]
        for first, layer in rows
    ]
    head = [*names, *(TITLES[score] for score in scores)]
    return Table("Scores after every measured epoch", head, cells, 2)
