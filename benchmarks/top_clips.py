#!/usr/bin/env python3
"""What the clips have in common that drive a unit most, by kind of unit, beside chance.

For each layer and kind, over all pairs of clips among the `most` of a unit: how often they share
the style that they are shown in and the recording that they are cut from; of toy clips, whose
making is known, also texture and motion, and before the classifier how often their class is the one
that the unit serves. Chance is that of all clips of the file.

    python benchmarks/top_clips.py runs/motion/bias/top_clips.json [--layers s4 head]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.datasets.lists.video_parts import split_part  # noqa: E402
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles  # noqa: E402
from slowfast_bias.datasets.toy.dataset import Toyvideos  # noqa: E402
from slowfast_bias.datasets.toy.world import ToyWorld  # noqa: E402
from slowfast_bias.results import read_result  # noqa: E402

Factors = dict[str, Callable[[Any], Hashable]]


def main() -> None:
    """Prints a table for each file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--layers", nargs="+", metavar="LAYER")
    args = parser.parse_args()
    for path in args.files:
        _, meta, data = read_result(path, "top_clips")
        factors, world = factors_of(meta)
        print(f"{path}: {len(data['units'])} units, {meta['videos']} videos, percent")
        print(f"{'':<16}", *(f"{name:>10}" for name in (*factors, "class")))
        seen = {clip["video"]: clip for unit in data["units"] for clip in unit["most"]}
        print(
            f"{'chance':<16}", *(f"{shared([seen.values()], f):>10.1f}" for f in factors.values())
        )
        for layer, kind in dict.fromkeys((u["layer"], u["kind"]) for u in data["units"]):
            units = [u for u in data["units"] if (u["layer"], u["kind"]) == (layer, kind)]
            if len(units) < 2 or (args.layers and layer not in args.layers):
                continue
            found = [shared([u["most"] for u in units], f) for f in factors.values()]
            found += [served(units, world)] if world and "classes" in units[0] else []
            print(
                f"{f'{layer} {kind}':<16}", *(f"{x:>10.1f}" for x in found), f"  {len(units)} units"
            )


def factors_of(meta: dict[str, Any]) -> tuple[Factors, ToyWorld | None]:
    """What two clips may share, and the toy world that they are from."""
    seed, num = meta["seed"], meta["styles"]["num"]
    factors: Factors = {
        "style": lambda clip: draw_styles(num, seed, clip["video"])[0],
        "recording": lambda clip: split_part(clip["path"])[0],
    }
    if not meta["data"].startswith("toyvideos"):
        return factors, None
    cfg = engine.load_cfg(meta["config"], ["NUM_GPUS", 0])
    world = Toyvideos(cfg, cfg.BIAS.SPLIT).world
    factors["texture"] = lambda clip: world.factors(clip["video"]).texture
    factors["motion"] = lambda clip: world.factors(clip["video"]).motion
    return factors, world


def shared(groups: Iterable[Iterable[Any]], factor: Callable[[Any], Hashable]) -> float:
    """The percent of pairs inside the groups that share a factor."""
    pairs = [pair for group in groups for pair in itertools.combinations(group, 2)]
    return 100 * sum(factor(a) == factor(b) for a, b in pairs) / max(len(pairs), 1)


def served(units: list[dict[str, Any]], world: ToyWorld) -> float:
    """The percent of clips whose class is the one that their unit serves most."""
    hits = [world.label(c["video"]) == u["classes"][0]["class"] for u in units for c in u["most"]]
    return 100 * sum(hits) / max(len(hits), 1)


if __name__ == "__main__":
    main()
