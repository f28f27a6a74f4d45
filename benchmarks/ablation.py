#!/usr/bin/env python3
"""What silencing units costs: one forward replayed up to the layer, against whole forwards.

One batch, ten sets of silenced units, both ways in turn, so that a noisy machine is noisy for both;
the median round counts. Scores of both ways are compared.

    python benchmarks/ablation.py [--crop 112] [--batch 2] [--rounds 5] [--layers head s5 s4 s3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias import evaluating  # noqa: E402
from slowfast_bias.engine.measuring.layers import find_layer  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.models.silenced_sets import SilencedSets  # noqa: E402

CONFIG = ROOT / "configs/Kinetics/SLOW_8x8_R50.yaml"


def main() -> None:
    """Prints a line per layer: seconds of both ways, their ratio, and how far scores differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--crop", type=int, default=112)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sets", type=int, default=10)
    parser.add_argument("--layers", nargs="+", default=["head", "s5", "s4", "s3"])
    args = parser.parse_args()
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads"
    size = ["DATA.TRAIN_CROP_SIZE", args.crop, "DATA.TEST_CROP_SIZE", args.crop]
    cfg = engine.load_cfg(CONFIG, [*size, "NUM_GPUS", int(gpu)])
    model = network.build_network(cfg)
    print(f"{where}, torch {torch.__version__}")
    print(f"SLOW R50, {args.crop} px, batch {args.batch}, {args.sets} sets, {args.rounds} rounds")
    print(f"{'layer':<6} {'whole s':>9} {'replayed s':>11} {'replayed/whole':>15} {'off by':>9}")
    with evaluating(model):
        for layer in args.layers:
            compare(model, layer, cfg.DATA.NUM_FRAMES, args)


def compare(model: nn.Module, layer: str, frames: int, args: argparse.Namespace) -> None:
    """Times both ways on the same batch, round by round."""
    device = next(model.parameters()).device
    inputs = [torch.randn(args.batch, 3, frames, args.crop, args.crop, device=device)]
    sets = [range(8 * i) for i in range(args.sets)]
    tap = find_layer(model, layer)
    ways = [SilencedSets(model, layer, tap, reuse) for reuse in (False, True)]
    whole, replayed = (way.scores(inputs, sets) for way in ways)  # warm-up, and the first check
    off = max(float((a - b).abs().max()) for a, b in zip(whole, replayed, strict=True))
    seconds = [[_timed(way, inputs, sets, device) for way in ways] for _ in range(args.rounds)]
    ratio = statistics.median(new / old for old, new in seconds)
    old, new = (statistics.median(times) for times in zip(*seconds, strict=True))
    print(f"{layer:<6} {old:>9.3f} {new:>11.3f} {ratio:>15.3f} {off:>9.1e}")


def _timed(way: SilencedSets, inputs: list, sets: list, device: torch.device) -> float:
    start = time.perf_counter()
    way.scores(inputs, sets)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
