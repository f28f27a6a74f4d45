"""The table of runs, and what keeps them from being compared."""

from __future__ import annotations

import math
from collections.abc import Mapping

from slowfast_bias.bias import HEADLINE, BiasReport
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.bias.report_text import TITLES
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Folded,
    Key,
    Note,
    Section,
    Table,
    percent_cell,
    score_cell,
)
from slowfast_bias.visualization.html.evidence import last_layer, score_of, shuffling_of
from slowfast_bias.visualization.html.networks import Network, networks_of
from slowfast_bias.visualization.html.sections.accuracies import tests_note
from slowfast_bias.visualization.network_differences import difference_sentences
from slowfast_bias.visualization.reading.comparable import differences
from slowfast_bias.visualization.reading.flow_words import change_of
from slowfast_bias.visualization.reading.mask_answers import is_of_masks, short_answer
from slowfast_bias.visualization.reading.mask_results import overall_of
from slowfast_bias.visualization.reading.run_folder import RunFolder

_SCORES = (*HEADLINE, "dynamic")
_FEW = 6  # networks of which every pair with the reference is put into words


def runs_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns a row per network, and in which of them the differences are seen."""
    networks = networks_of(runs)
    if not networks:
        return None
    reports = {network.name: network.report for network in networks if network.report}
    tests = {x.name: x.run.orders or x.run.battery or x.run.masks for x in networks if x.own}
    tests = {name: data for name, data in tests.items() if data}
    blocks: list[object] = [*_warning(reports), *tests_note(tests), _table(networks, reports)]
    if 1 < len(reports) <= _FEW and not differences(reports):
        blocks.append(_compared(reports))
    title = "The network" if len(networks) == 1 else "The networks"
    return Section("runs", title, blocks, _lead(reports))


def _lead(reports: Mapping[str, BiasReport]) -> str:
    if not reports:
        return ""
    changes = dict.fromkeys(filter(None, (change_of(x.meta) for x in reports.values())))
    if changes:
        changed = " or ".join(x.changed for x in changes)
        return (
            "Scores of the deepest layer where image and flow meet. S_static is how well it agrees "
            f"between two frames of one image, the second with {changed}; motion-only how much "
            "better it agrees between frames of one flow than between frames that share nothing; "
            "content is what survives both changes. ± is one standard error over sequences."
        )
    return (
        "Scores of the layer nearest to the output. S_static is how well it agrees between two "
        "clips that share only their look, motion-only how much better it agrees between clips "
        "that share their motion than between clips that share nothing; content is what survives "
        "both changes. ± is one standard error over recordings."
    )


def _warning(reports: Mapping[str, BiasReport]) -> list[Note]:
    found = differences(reports) if len(reports) > 1 else {}
    if not found:
        return []
    said = "; ".join(f"{key.replace('styles.', 'styles ')}: {text}" for key, text in found.items())
    return [
        Note(
            f"These runs were measured differently, so their scores must not be compared. {said}.",
            warning=True,
        )
    ]


def _table(networks: list[Network], reports: Mapping[str, BiasReport]) -> Table:
    head = ["network", *(["layer", *(TITLES[x] for x in _SCORES)] if reports else [])]
    head += ["static-only units", "dynamic-only units"] if reports else []
    tested = any(shuffling_of(network.run) for network in networks if network.own)
    head += ["accuracy", "shuffled"] if tested else []
    masked = any(network.run.masks or _leans(network) for network in networks if network.own)
    head += ["masks", "follow"] if masked else []
    rows = []
    for network in networks:
        key = Key(network.name, network.look, network.dashed)
        row = [Cell(network.name, network.name, key=key)]
        row += _scores(network.report) if reports else []
        row += _accuracies(network) if tested else []
        row += _masks(network) if masked else []
        rows.append(row)
    left = 2 if reports else 1
    return Table("All networks of this page", head, rows, left)


def _scores(report: BiasReport | None) -> list[Cell]:
    if report is None:
        return [Cell(words.NONE)] * (len(_SCORES) + 3)
    name = last_layer(report)
    layer = report[name]
    found = [score_of(layer, score) for score in _SCORES]
    cells = [Cell(name, name), *(score_cell(*x) if x else Cell(words.NONE) for x in found)]
    if not layer.complete:
        return [*cells, Cell(words.NONE), Cell(words.NONE)]
    kinds = layer.units()
    alive = layer.channels - len(kinds["dead"])
    shares = (
        100 * len(kinds[kind]) / alive if alive else math.nan for kind in ("static", "dynamic")
    )
    return [*cells, *map(percent_cell, shares)]


def _accuracies(network: Network) -> list[Cell]:
    found = shuffling_of(network.run) if network.own else None
    if found is None:
        return [Cell(words.NONE)] * 2
    return [percent_cell(found.ordered.value), percent_cell(found.shuffled.value)]


def _masks(network: Network) -> list[Cell]:
    """Returns how good a network's masks are, and which of image and flow they follow."""
    found = overall_of(network.run.masks) if network.own else None
    text = f"{found.measure} {words.percent(found.mean)}" if found else words.NONE
    leans = _leans(network) if network.own else ""
    return [Cell(text, found.mean if found else ""), Cell(leans or words.NONE, leans)]


def _leans(network: Network) -> str:
    """Returns which of image and flow masks follow; "" if that is not known."""
    battery = network.run.battery
    return short_answer(battery) if is_of_masks(battery) else ""


def _compared(reports: Mapping[str, BiasReport]) -> Folded:
    reference = next((name for name, x in reports.items() if is_reference(x)), "")
    sentences = difference_sentences(reports, to=reference)
    return Folded(
        "Which differences between networks are seen",
        [Note(f"{text[0].upper()}{text[1:]}.") for text in sentences],
    )
