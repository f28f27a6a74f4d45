"""Every layer: its scores with their errors, as curves and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slowfast_bias.bias import KINDS, BiasReport
from slowfast_bias.bias.report_text import TITLES, titles_of
from slowfast_bias.visualization.drawing.captions import error_words, motion_words
from slowfast_bias.visualization.drawing.layer_axis import (
    Depth,
    pathway,
    runs,
    short_names,
    stream_of,
)
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Figure,
    Key,
    Panel,
    Section,
    Table,
    count_cell,
    percent_cell,
    score_cell,
)
from slowfast_bias.visualization.html.charts.axis import Names
from slowfast_bias.visualization.html.charts.lines import GAP, Point, Series, line_panel
from slowfast_bias.visualization.html.evidence import score_of
from slowfast_bias.visualization.html.networks import Network, networks_of
from slowfast_bias.visualization.reading.headline import headline, reading
from slowfast_bias.visualization.reading.run_folder import RunFolder

_STREAMS = (
    "Layers of the image's stream are called app, of the flow's mot, and where both meet fuse. "
)
_EXTRA = ("dynamic", "look", "order_share", "order_agreement")  # in the table only


def layers_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the curves of all networks and the table of all layers."""
    networks = [network for network in networks_of(runs) if network.report]
    if not networks:
        return None
    reports = {network.name: network.report for network in networks if network.report}
    scores = headline(reports.values())
    streams = any(map(stream_of, (layer for report in reports.values() for layer in report.layers)))
    lead = (
        "From the input of the network at the left to its output at the right. "
        f"{_STREAMS * streams}{error_words(reports.values())} {motion_words(reports)}"
    )
    return Section("layers", "Layer by layer", [_figure(networks, reports, scores)], lead.strip())


def _titles(reports: Iterable[BiasReport]) -> dict[str, str]:
    """Returns {score: its title}, of pairs of image and flow if all reports are of these."""
    found = [titles_of(report.meta) for report in reports]
    return found[0] if all(titles == found[0] for titles in found) else TITLES


def _figure(
    networks: list[Network], reports: Mapping[str, BiasReport], scores: tuple[str, ...]
) -> Figure:
    depth = Depth.of(reports)
    axis = axis_of(depth)
    panels = [
        Panel(
            TITLES[score],
            line_panel(
                f"{TITLES[score]} by layer of {words.listed(list(reports))}",
                [line for x in networks for line in _lines(x, depth, score)],
                axis,
                zero=score != "static",
            ),
        )
        for score in scores
    ]
    keys = [Key(network.name, network.look, network.dashed) for network in networks]
    if any(pathway(layer) for report in reports.values() for layer in report.layers):
        keys.append(Key("second pathway of a network", "reference", dashed=True))
    return Figure("Scores by layer", panels, keys, _table(networks))


def axis_of(depth: Depth) -> Names:
    """Returns the x axis of layers: their names, or the relative depth of different networks."""
    if depth.ticks is None:
        return Names({x / 4: f"{x / 4:g}" for x in range(5)}, "relative depth, first to last layer")
    labels, dropped = short_names(depth.ticks)
    label = f"layer (N: {dropped}N)" if dropped else ""
    return Names({float(i): name for i, name in enumerate(labels)}, label)


def _lines(network: Network, depth: Depth, score: str) -> list[Series]:
    """Returns a line per pathway, and per stream; layers of one pathway are the first line."""
    report, read = network.report, reading(score, "score")
    if report is None:
        return []
    places, found = depth.positions(report), []
    for second in (False, True):
        layers = [x for x in report.layers if ((pathway(x) or 0) > 0) == second]
        points: list[Point] = []
        for stream in runs(layers):
            points += [GAP] if points else []
            for layer in stream:
                value, error = read(report[layer])
                points.append(Point(places[layer], value, value - error, value + error))
        if points:
            found.append(Series(network.name, points, network.look, network.dashed or second))
    return found


def _table(networks: list[Network]) -> Table:
    layers = [
        (network.name, name, layer)
        for network in networks
        if network.report
        for name, layer in network.report.layers.items()
    ]
    titles = _titles(network.report for network in networks if network.report)
    measured = {score for _, _, layer in layers for score in layer.measured}
    scores = [x for x in ("static", "motion", "content", *_EXTRA) if x in measured]
    several = len(networks) > 1
    head = [*(["network"] if several else []), "layer", *(titles[x] for x in scores)]
    head += ["static %", "dynamic %", "residual %", *(f"{kind} units" for kind in KINDS), "pairs"]
    rows = []
    for network, name, layer in layers:
        row: list[Cell | str] = [*([network] if several else []), name]
        for score in scores:
            known = score_of(layer, score)
            row.append(score_cell(*known) if known else Cell(words.NONE))
        if layer.complete:
            row += [percent_cell(share) for share in layer.percent().values()]
            row += [count_cell(len(units)) for units in layer.units().values()]
        else:
            row += [Cell(words.NONE)] * (3 + len(KINDS))
        pairs = dict.fromkeys(layer.pairs.values())
        rows.append([*row, Cell("/".join(map(str, pairs)), min(pairs))])
    return Table("Scores, shares and units of every layer", head, rows, 2 if several else 1)
