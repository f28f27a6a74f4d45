"""Clips of classes: what they show, and what other networks say of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from benchmarks.maximised.networks import FREE, FROZEN, SEEDS, TOY, Network, network
from benchmarks.maximised.readings import shown_motion, shown_texture
from slowfast_bias.optvis import (
    ClassOdds,
    Recipe,
    Row,
    log_odds,
    maximise,
    quantised,
    reversed_in_time,
)


def share(found: Sequence[bool]) -> str:
    """Returns how many of how many."""
    return f"{sum(found)}/{len(found)}"


def classes(out: str, first: int) -> None:
    """Prints what clips of classes show, and what other networks say of them."""
    numbers = range(first, first + 3)
    kinds = {kind: [network(kind, k, out) for k in numbers] for kind in ("motion", "texture")}
    print("| made for | motion shown | hue shown | others | backwards, opposite | same |"
          " others, frozen | log-odds free | frozen |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, networks in kinds.items():
        for number, source in enumerate(networks):
            others = [x for k, x in enumerate(networks) if k != number]
            class_row(f"{kind} {first + number}", source, others)
    class_row("untrained", network("motion", first + 7, out, trained=False), kinds["motion"])


def class_row(name: str, source: Network, others: Sequence[Network]) -> None:
    """Prints a row of the table of classes."""
    count, found = source.cfg.MODEL.NUM_CLASSES, []
    for number in range(count):
        rows = [Row(speed, seed) for speed in (FREE, FROZEN) for seed in SEEDS]
        recipe = Recipe(steps=100)
        scene = quantised(maximise(source.responder(), ClassOdds(number), rows, TOY, recipe).scene)
        found.append(judged(number, scene, source, others))
    columns = {key: [x for part in found for x in part[key]] for key in found[0]}
    shares = ("motion", "hue", "others", "opposite", "same", "others_frozen")
    cells = [share(columns[key]) for key in shares]
    cells += [f"{np.mean(columns[key]):.1f}" for key in ("free", "frozen")]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def judged(
    number: int, scene: Sequence[Tensor], source: Network, others: Sequence[Network]
) -> dict[str, list]:
    """Returns the verdicts on the clips of a class: free ones first, then frozen ones."""
    each, found = len(SEEDS), {}
    clips, opposite = scene[0][:each], number ^ 1
    found["motion"] = [shown_motion(clip) == number for clip in clips]
    found["hue"] = [shown_texture(clip) == number for clip in clips]
    named = named_by(others, scene)
    back = named_by([source, *others], reversed_in_time([clips]))
    found["others"] = [x == number for row in named for x in row[:each]]
    found["others_frozen"] = [x == number for row in named for x in row[each:]]
    found["opposite"] = [x == opposite for row in back for x in row]
    found["same"] = [x == number for row in back for x in row]
    odds = log_odds(source.responder().measure(scene).scores)[:, number].tolist()
    return {**found, "free": odds[:each], "frozen": odds[each:]}


def named_by(networks: Sequence[Network], scene: Sequence[Tensor]) -> list[list[int]]:
    """Returns the classes that networks name, a list for each."""
    return [x.responder().measure(scene).scores.argmax(1).tolist() for x in networks]
