#!/usr/bin/env python3
"""What it costs to save unfinished work: bytes and seconds of a bookmark and of an epoch's middle.

The statistics of one clip take as much room as those of a whole list, so one is measured.

    python benchmarks/saving.py configs/SSv2/SLOW_8x8_R50.yaml [KEY VALUE ...]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from slowfast_bias import engine, host  # noqa: E402
from slowfast_bias.bias import evaluating, tapped  # noqa: E402
from slowfast_bias.engine.measuring.probe import Probe  # noqa: E402
from slowfast_bias.engine.setup.checkpoint import save_checkpoint  # noqa: E402
from slowfast_bias.files import write_whole  # noqa: E402

TIMES = 5


@torch.no_grad()
def probe_after_a_clip(cfg: Any, model: torch.nn.Module) -> Probe:
    """Returns what a measurement of a network holds after a clip."""
    probe, size = Probe(cfg, model), cfg.DATA.TEST_CROP_SIZE
    inputs = host.pack_batch(cfg, torch.rand(1, 3, cfg.DATA.NUM_FRAMES, size, size))
    with evaluating(model), tapped(model, probe.taps) as features:
        model(inputs)
    for factor in ("static", "dynamic", "neither"):
        probe.meter.update(factor, dict(features), dict(features), [0])
    return probe


def cost(path: str, save: Callable[[], Any]) -> str:
    """Returns the size of what is saved at a path, and the median time that it takes, in words."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        save()
        seconds.append(time.perf_counter() - start)
    return f"{os.path.getsize(path) / 1e6:.1f} MB, {statistics.median(seconds):.3f} s"


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("config")
    parser.add_argument("opts", nargs="*", metavar="KEY VALUE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cfg = engine.load_cfg(args.config, [*args.opts, "OUTPUT_DIR", folder], check=False)
        model = engine.build_network(cfg)
        probe, path = probe_after_a_clip(cfg, model), f"{folder}/bookmark.pyth"

        def save() -> None:
            with write_whole(path, "wb") as file:
                torch.save(probe.state(), file)

        print("a measurement, for each process:", cost(path, save))
        optimizer = host.construct_optimizer(model, cfg)
        for weight in model.parameters():
            weight.grad = torch.zeros_like(weight)
        optimizer.step()  # it has momenta now
        whole = f"{folder}/middle.pyth"
        middle = cost(whole, lambda: save_checkpoint(cfg, 0, model, optimizer, path=whole))
        print("training:", middle)


if __name__ == "__main__":
    main()
