#!/usr/bin/env python3
"""What networks of the toy world of masks use, which is known, and what the measurement says of it.

One network for each world and seed (configs/Toy/SEG_*.yaml) is trained, tested with its own frames,
with the flow of other scenes and with the image of others, asked about scenes in which look and
motion show different objects, and measured under both kinds of pairs.

    python benchmarks/toy_segmentation.py [--seeds 0 1 2] [--out runs/toy_segmentation]

Networks that are there already are not trained again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, stdev

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias.datasets.toy.camouflage import CUES  # noqa: E402
from slowfast_bias.engine.studies.toy_masks import ASKED, KINDS, LAYERS, ToyNetwork  # noqa: E402

SCORES = ("static", "motion", "dynamic", "look")


def over_seeds(values: Iterable[float], form: str) -> str:
    """Returns "mean ± standard deviation"."""
    values = list(values)
    spread = f" ± {stdev(values):{form}}" if len(values) > 1 else ""
    return f"{fmean(values):{form}}{spread}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Trains, asks, measures, and prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", default="runs/toy_segmentation")
    args = parser.parse_args()
    answers, scores = [], []
    for cue in CUES:
        networks = [ToyNetwork(cue, f"{args.out}/{cue}_{x}", x, f"{ROOT}/") for x in args.seeds]
        for network in networks:
            network.train()
        found = [network.ask() for network in networks]
        answers.append([cue, *(over_seeds([x[name] for x in found], ".1f") for name in ASKED)])
        for kind in KINDS:
            reports = [network.measure(kind) for network in networks]
            for layer in LAYERS:
                cells = ([r[layer].score(name) for r in reports] for name in SCORES)
                scores.append([cue, kind, layer, *(over_seeds(x, ".3f") for x in cells)])
    heads = ("trained on", "pairs", "layer", "S_static", "motion-only", "S_dynamic", "look-only")
    print(f"{table(('trained on', *ASKED), answers)}\n\n{table(heads, scores)}")


if __name__ == "__main__":
    main()
