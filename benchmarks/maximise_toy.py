#!/usr/bin/env python3
"""Are clips that were made for a unit right? The toy world knows the answer without a network.

Networks that learnt which way a disc goes round (orbit2), or the texture; clips are made for their
classes and units. `reading`: the class that the clip itself shows, by the phase of what changes on
its orbit, or by its hue. `others`: networks trained apart that name the class. `backwards`: the
same for the clip played backwards and the opposite motion.

    python benchmarks/maximise_toy.py [--out runs/maximise_toy] [--parts PART ...]

Networks that are there already are not trained again.
"""

from __future__ import annotations

import argparse
import cmath
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fvcore.common.config import CfgNode
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias.measure import evaluating  # noqa: E402
from slowfast_bias.bias.taps import tapped, whole  # noqa: E402
from slowfast_bias.engine.maximising.natural import open_source, show_natural  # noqa: E402
from slowfast_bias.engine.maximising.packing import packing  # noqa: E402
from slowfast_bias.engine.measuring.layers import make_taps  # noqa: E402
from slowfast_bias.engine.measuring.measurement import measure_networks  # noqa: E402
from slowfast_bias.models.families.family import call_with_list  # noqa: E402
from slowfast_bias.optvis import (  # noqa: E402
    SPEEDS,
    Canvas,
    ClassOdds,
    Recipe,
    Responder,
    Response,
    Row,
    log_odds,
    maximise,
    quantised,
    reversed_in_time,
)
from slowfast_bias.optvis.flow_numbers import magnitude_and_spread  # noqa: E402
from slowfast_bias.outputs import Outputs  # noqa: E402

FREE, FROZEN = SPEEDS[0], SPEEDS[-1]
SEEDS = (0, 1, 2, 3)
TOY = Canvas(8, 32, 32)
SCENE = Canvas(1, 48, 48, flow=True)
TWO = ["BIAS.TOY.MOTION", "orbit2", "MODEL.NUM_CLASSES", 2]
KINDS = {
    "motion": ("SLOW_motion", [*TWO, "SOLVER.MAX_EPOCH", 4]),
    "texture": ("SLOW_texture", ["BIAS.TOY.MOTION", "orbit2", "SOLVER.MAX_EPOCH", 3]),
    "both": ("SLOW_both", []),
    "flat": ("2D_motion", TWO),
    "streams": ("SEG_camouflage", []),
}


@dataclass(frozen=True)
class Network:
    """A network of the toy world."""

    cfg: CfgNode
    model: nn.Module

    def responder(self, layer: str = "head") -> Responder:
        """Returns it with a layer tapped."""
        return Responder(self.model, make_taps(self.model, [layer]), packing(self.cfg, self.model))


@dataclass(frozen=True)
class Many:
    """A unit for each row, in units of its largest natural activation."""

    units: Tensor
    scales: Tensor
    layer: str
    unit: int = -1

    def of_rows(self, rows: Sequence[int]) -> Many:
        """Returns the units of some rows."""
        picked = list(rows)
        return Many(self.units[picked], self.scales[picked], self.layer)

    def value(self, response: Response) -> Tensor:
        """Returns (B,) the activation of each row's unit."""
        return response.features[self.layer][torch.arange(len(self.units)), self.units]

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) what rises."""
        return self.value(response) / self.scales


def network(kind: str, seed: int, out: str, trained: bool = True) -> Network:
    """Returns a network of a kind, trained if it is not yet."""
    name, words = KINDS[kind]
    folder = f"{out}/{kind}_{seed}"
    more = ["OUTPUT_DIR", folder, "RNG_SEED", seed, "TEST.ENABLE", False]
    cfg = engine.load_cfg(f"{ROOT}/configs/Toy/{name}.yaml", [*words, *more])
    if not trained:
        return Network(cfg, engine.build_network(cfg))
    if not Outputs(folder).list_checkpoints():
        engine.train(cfg)
    return Network(cfg, engine.trained_network(cfg))


def shown_motion(clip: Tensor) -> int:
    """Returns the motion that a clip (3, T, H, W) shows: 0 round one way, 1 the other."""
    changes = (clip - clip.mean(1, keepdim=True)).square().sum(0)
    line = torch.linspace(-1, 1, clip.shape[-1])
    angle = torch.atan2(line[:, None], line[None])
    z = (changes * torch.polar(torch.ones_like(angle), angle)).sum((1, 2))
    return int(cmath.phase(complex((z[1:] * z[:-1].conj()).sum())) < 0)


def shown_texture(clip: Tensor) -> int:
    """Returns the texture whose hue a clip (3, T, H, W) has, of 4."""
    turns = torch.tensor([0.0, 1.0, 2.0]) * 2 * math.pi / 3
    colour = clip.mean((1, 2, 3))
    z = (colour * torch.polar(torch.ones(3), turns)).sum()
    return round(cmath.phase(complex(z)) / (2 * math.pi) * 4) % 4


def share(found: Sequence[bool]) -> str:
    """Returns how many of how many."""
    return f"{sum(found)}/{len(found)}"


def classes(out: str) -> None:
    """Prints what clips of classes show, and what other networks say of them."""
    kinds = {
        kind: [network(kind, seed, out) for seed in range(3)] for kind in ("motion", "texture")
    }
    print("| source | reading: motion | reading: hue | others | backwards: opposite | same |"
          " others, frozen | log-odds free | frozen |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, networks in kinds.items():
        for number, source in enumerate(networks):
            others = [x for k, x in enumerate(networks) if k != number]
            class_row(f"{kind} {number}", source, others)
    class_row("untrained", network("motion", 7, out, trained=False), kinds["motion"])


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


def units(out: str, layer: str = "s5", number: int = 32, steps: int = 60) -> None:
    """Prints how motion need goes with the motion-only score over units of a layer."""
    print(f"motion need against motion-only over units of {layer}")
    for name, trained in (("both, trained", True), ("both, untrained", False)):
        source = network("both", 0, out, trained)
        score, chosen = units_of(source, layer, number)
        need = needs(source, layer, chosen, steps)
        good = ~need.isnan()
        x, y = score[good].numpy(), need[good].numpy()
        third = len(x) // 3
        low, high = np.median(y[np.argsort(x)[:third]]), np.median(y[np.argsort(x)[-third:]])
        print(
            f"  {name}: {len(x)} units, rank correlation {rank_correlation(x, y):.2f} "
            f"[{', '.join(f'{v:.2f}' for v in resampled(x, y))}], median need of the third with "
            f"least motion {low:.2f}, with most {high:.2f}; scores from {x.min():.2f} to "
            f"{x.max():.2f}",
            flush=True,
        )


def units_of(source: Network, layer: str, number: int) -> tuple[Tensor, Tensor]:
    """Returns the motion-only scores and the numbers of units, evenly spread by that score."""
    report = measure_networks(source.cfg, {"trained": source.model}, "")["trained"]
    score = report[layer].unit_scores("motion")
    alive = (~score.isnan()).nonzero().flatten()
    order = alive[score[alive].argsort()]
    chosen = order[torch.linspace(0, len(order) - 1, min(number, len(order))).long()]
    return score[chosen], chosen


def needs(source: Network, layer: str, chosen: Tensor, steps: int, seeds: int = 2) -> Tensor:
    """Returns the motion need of each unit, its free and frozen clips averaged over seeds."""
    natural = natural_features(source, layer)[:, chosen]
    rows = [Row(speed, seed) for speed in (FREE, FROZEN) for seed in range(seeds) for _ in chosen]
    repeat = chosen.repeat(2 * seeds)
    scales = natural.abs().amax(0).clamp(min=1e-6).repeat(2 * seeds)
    target = Many(repeat, scales, layer)
    responder = source.responder(layer)
    made = maximise(responder, target, rows, TOY, Recipe(steps=steps))
    reached = target.value(responder.measure(quantised(made.scene)))
    free, frozen = reached.view(2, seeds, len(chosen)).mean(1)
    gain = free - natural.mean(0)
    return torch.where(gain > 0, 1 - (frozen - natural.mean(0)) / gain, math.nan)


def natural_features(source: Network, layer: str, clips: int = 128) -> Tensor:
    """Returns (N, C) the natural activations of a layer."""
    from slowfast_bias.datasets.contract import open_dataset

    data = open_dataset("toyvideos", source.cfg, "val")
    frames = torch.stack([data.clip(k) for k in range(min(clips, len(data)))])
    scene = [frames.permute(0, 4, 1, 2, 3).float() / 255]
    return source.responder(layer).measure(scene, 32).features[layer]


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Returns Spearman's correlation."""
    ranks = [np.argsort(np.argsort(values)) for values in (x, y)]
    return float(np.corrcoef(*ranks)[0, 1])


def resampled(x: np.ndarray, y: np.ndarray, times: int = 2000) -> tuple[float, float]:
    """Returns the 95 % interval of the correlation, by a bootstrap over units."""
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(x), (times, len(x)))
    low, high = np.percentile([rank_correlation(x[d], y[d]) for d in draws], (2.5, 97.5))
    return float(low), float(high)


def flat(out: str) -> None:
    """Prints what the order of frames changes for a network that sees them one by one."""
    source = network("flat", 0, out, trained=False)
    responder = source.responder("s4")
    largest = natural_features(source, "s4", 32).amax(0)
    chosen = largest.argsort(descending=True)[:4]
    target = Many(chosen, largest[chosen], "s4")
    rows = [Row(FREE, seed) for seed in range(len(chosen))]
    scene = quantised(maximise(responder, target, rows, TOY, Recipe(steps=30)).scene)
    order = torch.tensor([3, 0, 7, 4, 1, 6, 2, 5])
    with torch.no_grad(), evaluating(source.model), tapped(source.model, ["s4"], whole) as maps:
        pack = packing(source.cfg, source.model)
        call_with_list(source.model, pack(scene))
        before = maps["s4"]
        call_with_list(source.model, pack([scene[0][:, :, order]]))
        same = torch.equal(maps["s4"], before[:, :, order])
    print(f"2D network: frames in another order give the same maps in that order, exactly: {same}")
    need = needs(source, "s4", chosen, 60)
    print(f"2D network: motion need of {len(need)} units {[f'{x:.2f}' for x in need.tolist()]}")


def streams(out: str, number: int = 4, steps: int = 100) -> None:
    """Prints how far the flow moves that is made for units of either stream, and of their fusion.

    Fused units of look-only scores are gated by flow too: how much, their motion need says.
    """
    source = network("streams", 0, out)
    report = measure_networks(source.cfg, {"trained": source.model}, "")["trained"]
    wanted = (("mot4", "motion"), ("app4", "look"), ("fuse4", "motion"), ("fuse4", "look"))
    for layer, score in wanted:
        values = report[layer].unit_scores(score)
        chosen = values.nan_to_num(-2.0).argsort(descending=True)[:number]
        rows = [Row(speed, 0) for speed in (FREE, FROZEN) for _ in chosen]
        natural = natural_scenes(source, layer)[:, chosen]
        scales = natural.abs().amax(0).clamp(min=1e-6)
        target = Many(chosen.repeat(2), scales.repeat(2), layer)
        responder = source.responder(layer)
        scene = quantised(maximise(responder, target, rows, SCENE, Recipe(steps=steps)).scene)
        free, frozen = target.value(responder.measure(scene)).view(2, -1)
        mean = natural.mean(0)
        need = 1 - (frozen - mean) / (free - mean)
        lengths = [magnitude_and_spread(x.numpy())[0] for x in scene[1][:number]]
        contrast = scene[0][:number].flatten(1).std(1).mean()
        print(
            f"  {layer}, {score} {values[chosen].min():.2f} to {values[chosen].max():.2f}: flow "
            f"{min(lengths):.3f} to {max(lengths):.3f} of the full colour, contrast of the image "
            f"{contrast:.3f}, motion need {', '.join(f'{x:.2f}' for x in need)}",
            flush=True,
        )


def natural_scenes(source: Network, layer: str) -> Tensor:
    """Returns (N, C) the activations of a layer for the scenes of a two-stream network."""
    clips = open_source(source.cfg, flow=True)
    return show_natural(source.cfg, clips, source.responder(layer)).response.features[layer]


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", default="runs/maximise_toy")
    parts = {"classes": classes, "units": units, "flat": flat, "streams": streams}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    args = parser.parse_args()
    for part in args.parts:
        parts[part](args.out)


if __name__ == "__main__":
    main()
