#!/usr/bin/env python3
"""What channels last in memory does to a training step, side by side, as ratios in one run.

Steps of SGD on clips of noise, rounds alternate; `benchmarks/gpu.py` has the same on a GPU, with
other arithmetic.

    python benchmarks/train_layout.py [--arch SLOW SLOWFAST] [--crop 112] [--batch 2] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402
from slowfast_bias.models.families import family_of  # noqa: E402
from slowfast_bias.models.fast import learnt_in_channels_last  # noqa: E402

CONFIGS = {
    "SLOW": "configs/Kinetics/SLOW_8x8_R50.yaml",
    "SLOWFAST": "configs/Kinetics/SLOWFAST_8x8_R50.yaml",
}


def main() -> None:
    """Prints a line per architecture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--arch", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--crop", type=int, default=112)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"CPU, {torch.get_num_threads()} threads, torch {torch.__version__}; {args.crop} px, "
          f"batch {args.batch}, {args.rounds} rounds, seconds of all cores")  # fmt: skip
    for arch in args.arch:
        ways = {layout: make_step(arch, layout, args) for layout in ("usual", "channels last")}
        seconds: dict[str, list[float]] = {layout: [] for layout in ways}
        for way in ways.values():
            way()  # warm-up
        for _ in range(args.rounds):
            for layout, way in ways.items():
                start = time.process_time()
                way()
                seconds[layout].append(time.process_time() - start)
        usual, last = seconds.values()
        ratio = statistics.median(b / a for a, b in zip(usual, last, strict=True))
        print(f"{arch} R50: {min(usual):.2f} s a step, channels last {min(last):.2f} s; ratio "
              f"{min(last) / min(usual):.3f} of the best, {ratio:.3f} in the median")  # fmt: skip


def make_step(arch: str, layout: str, args: argparse.Namespace) -> Callable[[], None]:
    """Returns a function that does one step."""
    size = ["DATA.TRAIN_CROP_SIZE", args.crop, "DATA.TEST_CROP_SIZE", args.crop, "NUM_GPUS", 0]
    cfg = engine.load_cfg(str(ROOT / CONFIGS[arch]), size)
    model = network.build_network(cfg).train()
    if layout == "channels last":
        learnt_in_channels_last(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    clips = torch.rand(args.batch, 3, cfg.DATA.NUM_FRAMES, args.crop, args.crop)
    inputs, truth = make_task(cfg, model).pack(clips), torch.arange(args.batch)

    def step() -> None:
        scores = family_of(model).call(model, list(inputs))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores, truth).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
