#!/usr/bin/env python3
"""What the battery costs: all changed clips from one decode, against a run for each of them.

Videos are written, decoded and classified both ways in turn, so that a noisy machine is noisy for
both; the median round counts. Decodes and forwards are counted, accuracies of both ways compared.

    python benchmarks/behaviour.py [--videos 8] [--frames 8] [--crop 112] [--rounds 3] [--views 1]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from fvcore.common.config import CfgNode
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.videos import write_video  # noqa: E402

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.datasets.styles.bank import StyleBank  # noqa: E402
from slowfast_bias.datasets.videos import Videos  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402
from slowfast_bias.engine.testing.battery_variants import (  # noqa: E402
    ChangedClips,
    Plan,
    look_name,
    plan_of,
)
from slowfast_bias.engine.testing.vote import Votes, vote  # noqa: E402

CONFIG = ROOT / "configs/Kinetics/SLOW_8x8_R50.yaml"
SIZE = (340, 256)  # of the videos
LENGTH = 90  # frames of a video
_TEMPORAL_BLOCKS = {18: [[2], [2], [2], [2]], 50: [[3], [4], [6], [3]]}


def main() -> None:
    """Prints seconds, decodes and forwards of both ways, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name, default in (("videos", 8), ("frames", 8), ("crop", 112), ("rounds", 3), ("views", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--depth", type=int, default=50, choices=(18, 50))
    args = parser.parse_args()
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads"
    print(f"{where}, torch {torch.__version__}")
    print(f"SLOW R{args.depth}, {args.videos} videos of {SIZE[0]}x{SIZE[1]}, {args.views} views, "
          f"{args.frames} frames of {args.crop} px, {args.rounds} rounds")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        compare(_config(Path(folder), args, gpu), args.rounds)


def _config(folder: Path, args: argparse.Namespace, gpu: bool) -> CfgNode:
    rows = []
    for number in range(args.videos):
        write_video(folder / f"{number}.mp4", list(range(number, number + LENGTH)), size=SIZE)
        rows.append(f"{number}.mp4 {number % 4}\n")
    for split in ("train", "val", "test"):
        (folder / f"{split}.csv").write_text("".join(rows))
    return engine.load_cfg(
        CONFIG,
        [
            "TEST.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", str(folder), "MODEL.NUM_CLASSES", 4,
            "DATA.NUM_FRAMES", args.frames, "DATA.TRAIN_CROP_SIZE", args.crop,
            "DATA.TEST_CROP_SIZE", args.crop, "TEST.BATCH_SIZE", 4, "RESNET.DEPTH", args.depth,
            "RESNET.NUM_BLOCK_TEMP_KERNEL", _TEMPORAL_BLOCKS[args.depth],
            "TEST.NUM_ENSEMBLE_VIEWS", args.views, "TEST.NUM_SPATIAL_CROPS", 1,
            "DATA_LOADER.NUM_WORKERS", 0, "NUM_GPUS", int(gpu), "OUTPUT_DIR", str(folder / "run"),
        ],
    )  # fmt: skip


def compare(cfg: CfgNode, rounds: int) -> None:
    """Times both ways on the same videos, round by round."""
    model, plan = network.build_network(cfg), plan_of(cfg)
    single = _plans(plan)
    found: dict[str, list[tuple[float, int, int]]] = {"battery": [], "a run each": []}
    for _ in range(rounds):
        (together,), one = _cost(cfg, model, [plan])
        apart, each = _cost(cfg, model, single.values())
        found["battery"].append(one)
        found["a run each"].append(each)
    same = [
        torch.equal(together.hits(name), votes.hits(votes.names[0]))
        for name, votes in zip(single, apart, strict=True)
    ]
    print(f"{'':<12} {'seconds':>9} {'decodes':>8} {'forwards':>9}")
    for name, costs in found.items():
        seconds = statistics.median(cost[0] for cost in costs)
        print(f"{name:<12} {seconds:>9.2f} {costs[0][1]:>8} {costs[0][2]:>9}")
    pairs = list(zip(*found.values(), strict=True))
    ratio = [statistics.median(new[k] / old[k] for new, old in pairs) for k in range(3)]
    print(f"{'ratio':<12} {ratio[0]:>9.3f} {ratio[1]:>8.3f} {ratio[2]:>9.3f}")
    print(f"{len(same)} variants, hits of both ways agree in {sum(same)}")


class OneLook:
    """One look of a bank, as a bank of its own."""

    num = 1

    def __init__(self, bank: StyleBank, number: int) -> None:
        self.bank, self.number = bank, number

    def __call__(self, clips: torch.Tensor, style: int) -> torch.Tensor:
        """Returns the clips in this look."""
        return self.bank(clips, self.number)


def _plans(plan: Plan) -> dict[str, Plan]:
    """Returns a plan for each variant: what a run of its own would show."""
    found = {
        name: replace(plan, orders={name: draw}, bank=None) for name, draw in plan.orders.items()
    }
    for number in range(plan.bank.num):
        found[look_name(number)] = replace(plan, orders={}, bank=OneLook(plan.bank, number))
    return found


def _cost(
    cfg: CfgNode, model: nn.Module, plans: Iterable[Plan]
) -> tuple[list[Votes], tuple[float, int, int]]:
    """Returns the votes of each plan, and the seconds, decodes and forwards of all of them."""
    task, counts, votes = make_task(cfg, model), [0, 0], []
    start = time.perf_counter()
    with _counted(model, counts):
        for plan in plans:
            clips = ChangedClips(task, model, plan)
            votes.append(vote(cfg, task, clips, "test", make_tally=task.verdicts))
    return votes, (time.perf_counter() - start, *counts)


@contextmanager
def _counted(model: nn.Module, counts: list[int]) -> Iterator[None]:
    """Counts decoded views and clips that the network is shown."""
    sample = Videos.sample

    def counting(self: Videos, index: int) -> object:
        counts[0] += 1
        return sample(self, index)

    def shown(module: nn.Module, inputs: tuple) -> None:
        counts[1] += len(inputs[0][0])

    handle = model.register_forward_pre_hook(shown)
    Videos.sample = counting
    try:
        yield
    finally:
        Videos.sample = sample
        handle.remove()


if __name__ == "__main__":
    main()
