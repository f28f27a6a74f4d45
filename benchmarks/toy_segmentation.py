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

import torch
from fvcore.common.config import CfgNode
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias import BiasReport  # noqa: E402
from slowfast_bias.datasets.contract import Batch  # noqa: E402
from slowfast_bias.datasets.toy.camouflage import CUES  # noqa: E402
from slowfast_bias.engine.setup.loaders import build_loader  # noqa: E402
from slowfast_bias.engine.setup.network import open_trained  # noqa: E402
from slowfast_bias.engine.tasks import Task, make_task  # noqa: E402
from slowfast_bias.metrics import region_similarity  # noqa: E402
from slowfast_bias.models.families import family_of  # noqa: E402
from slowfast_bias.outputs import Outputs  # noqa: E402

KINDS = ("flow_jitter", "flow_swap")
SCENES = ["BIAS.TOY.NUM_VAL", 256, "BIAS.TOY.NUM_TEST", 256]
EPOCHS = 8
ASKED = ("own", "other flow", "other image", "motion's", "colour's", "follows flow %")
# The last is what the mask is made of: fusions keep both streams side by side, used or not.
LAYERS = ("fuse2", "fuse3", "fuse4", "fuse5", "decoder.RF2")
SCORES = ("static", "motion", "dynamic", "look")


def config(cue: str, seed: int, out: str, *opts: object) -> CfgNode:
    """Returns the config of a world's network, with changes."""
    words = ["RNG_SEED", seed, "BIAS.TOY.SEED", seed, "TEST.ENABLE", False, *SCENES]
    folder = ["OUTPUT_DIR", f"{out}/{cue}_{seed}"]
    return engine.load_cfg(f"{ROOT}/configs/Toy/SEG_{cue}.yaml", [*words, *folder, *opts])


def masks_of(task: Task, model: nn.Module, batch: Batch) -> torch.Tensor:
    """Returns the masks (B, H, W) of a batch, True inside."""
    family = family_of(model)
    scores = family.scores(family.call(model, task.inputs(batch, torch.device("cpu"))))
    return scores[:, 0] > task.rule.threshold


def swapped(batch: Batch, stream: int) -> Batch:
    """Returns a batch in which each scene has the image (0) or the flow (1) of the next one."""
    inputs = list(batch.inputs)
    inputs[stream] = inputs[stream].roll(1, 0)
    return batch._replace(inputs=inputs)


@torch.no_grad()
def asked(cue: str, seed: int, out: str) -> dict[str, float]:
    """Returns the overlaps of a network in percent, and what it follows in conflict."""
    cfg = config(cue, seed, out)
    model = open_trained(cfg).model.eval()
    task, found = make_task(cfg, model), {name: [] for name in ASKED}
    for batch in build_loader(cfg, "test"):
        truth = batch.targets.stacked()
        for name, shown in zip(ASKED, (batch, swapped(batch, 1), swapped(batch, 0)), strict=False):
            found[name] += region_similarity(masks_of(task, model, shown), truth).tolist()
    for batch in build_loader(config(cue, seed, out, "BIAS.TOY.CUE", "conflict"), "test"):
        masks, truth = masks_of(task, model, batch), batch.targets.stacked()
        motion, colour = (region_similarity(masks, truth == value) for value in (1, 2))
        found["motion's"] += motion.tolist()
        found["colour's"] += colour.tolist()
        found["follows flow %"] += (motion > colour).double().tolist()
    return {name: 100 * fmean(values) for name, values in found.items()}


def measured(cue: str, seed: int, out: str, kind: str) -> BiasReport:
    """Returns the report of a network under a kind of pairs."""
    weights = ["TEST.CHECKPOINT_FILE_PATH", Outputs(f"{out}/{cue}_{seed}").checkpoint(EPOCHS)]
    where = ["OUTPUT_DIR", f"{out}/{cue}_{seed}/{kind}", "TRAIN.ENABLE", False]
    cfg = config(cue, seed, out, "BIAS.ENABLE", True, "BIAS.PAIRS", kind, *weights, *where,
                 "BIAS.LAYERS", list(LAYERS))  # fmt: skip
    return engine.measure(cfg)


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
        for seed in args.seeds:
            if not Path(Outputs(f"{args.out}/{cue}_{seed}").checkpoint(EPOCHS)).exists():
                engine.run(config(cue, seed, args.out))
        found = [asked(cue, seed, args.out) for seed in args.seeds]
        answers.append([cue, *(over_seeds([x[name] for x in found], ".1f") for name in ASKED)])
        for kind in KINDS:
            reports = [measured(cue, seed, args.out, kind) for seed in args.seeds]
            for layer in LAYERS:
                cells = ([r[layer].score(name) for r in reports] for name in SCORES)
                scores.append([cue, kind, layer, *(over_seeds(x, ".3f") for x in cells)])
    heads = ("trained on", "pairs", "layer", "S_static", "motion-only", "S_dynamic", "look-only")
    print(f"{table(('trained on', *ASKED), answers)}\n\n{table(heads, scores)}")


if __name__ == "__main__":
    main()
