#!/usr/bin/env python3
"""What making clips costs beside the network's own work, as ratios in one run.

The loop of `optvis` against as many bare forwards and backwards of the same network and clips: what
is over 1 is the parameterisation, the jitter, the penalty, Adam, the copy of the last good step,
and one step more at the start. Rounds alternate, so that a noisy machine is noisy for all.

    python benchmarks/maximise.py [--crop 56] [--rows 2] [--steps 20] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias import evaluating  # noqa: E402
from slowfast_bias.engine.maximising.packing import packing  # noqa: E402
from slowfast_bias.engine.measuring.layers import make_taps  # noqa: E402
from slowfast_bias.models.families import family_of  # noqa: E402
from slowfast_bias.optvis import (  # noqa: E402
    SPEEDS,
    Canvas,
    Recipe,
    Responder,
    Row,
    Unit,
    maximise,
)
from slowfast_bias.optvis.responses import without_weight_gradients  # noqa: E402

CONFIG = ROOT / "configs/Kinetics/SLOW_8x8_R50.yaml"
TARGET = 1.1


def main() -> None:
    """Prints seconds a step and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--crop", type=int, default=56)
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    words = ["NUM_GPUS", int(device.type == "cuda"), "DATA.TRAIN_CROP_SIZE", args.crop]
    cfg = engine.load_cfg(str(CONFIG), [*words, "DATA.TEST_CROP_SIZE", args.crop], check=False)
    model = engine.build_network(cfg)
    canvas = Canvas(cfg.DATA.NUM_FRAMES, args.crop, args.crop)
    responder = Responder(model, make_taps(model, ["s5"]), packing(cfg, model))
    rows = [Row(SPEEDS[k % len(SPEEDS)], k) for k in range(args.rows)]
    recipe = Recipe(args.steps)
    ways = {
        "bare": lambda: bare(model, responder, canvas, args.rows, args.steps),
        "made": lambda: maximise(responder, Unit("s5", 0), rows, canvas, recipe),
    }
    seconds = {name: [] for name in ways}
    for number in range(args.rounds + 1):
        for name, way in ways.items():
            took = timed(way, device)
            if number:  # the first one warms up
                seconds[name].append(took)
    middle = {name: statistics.median(x) for name, x in seconds.items()}
    per_step = {name: x / args.steps for name, x in middle.items()}
    print(f"{device}, {args.rows} clips of {canvas.frames} x {args.crop} px, {args.steps} steps")
    print(f"bare {per_step['bare']:.3f} s a step, made {per_step['made']:.3f} s a step")
    ratio = middle["made"] / middle["bare"]
    of_a_run = ratio * args.steps / (args.steps + 1) * (Recipe().steps + 1) / Recipe().steps
    print(f"ratio {ratio:.3f} of {args.steps} steps and the one at the start; of a run of "
          f"{Recipe().steps} steps {of_a_run:.3f}, wanted at most {TARGET}")  # fmt: skip


def bare(model: nn.Module, responder: Responder, canvas: Canvas, rows: int, steps: int) -> None:
    """Runs forwards and backwards to the input, and nothing else."""
    family = family_of(model)
    size = (rows, 3, canvas.frames, canvas.height, canvas.width)
    clips = torch.rand(size, device=responder.device, requires_grad=True)
    with evaluating(model), without_weight_gradients(model):
        for _ in range(steps):
            family.call(model, [clips]).sum().backward()


def timed(way: Callable[[], object], device: torch.device) -> float:
    """Returns the seconds that a call takes; on a CPU those of this process alone."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    way()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


if __name__ == "__main__":
    main()
