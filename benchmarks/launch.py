#!/usr/bin/env python3
"""What a start costs: a test of four toy videos by one process, and by two started in three ways.

One process; NUM_GPUS 2, which spawns; torchrun; and torch's `elastic_launch` in the place of our
spawn. Rounds alternate. Seconds of a clock depend on what else the machine does, seconds of all
cores little.

    python benchmarks/launch.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.engine.runtime.launcher import free_port  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402

CONFIG = str(ROOT / "configs/Toy/SLOW_motion.yaml")
ELASTIC = """
import sys
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from slowfast_bias import engine
from slowfast_bias.cli import main
if __name__ == "__main__":
    meeting = {"rdzv_backend": "static", "rdzv_endpoint": sys.argv[1],
               "rdzv_configs": {"rank": 0, "timeout": 60}}
    config = LaunchConfig(1, 1, 2, run_id="x", max_restarts=0, start_method="spawn", **meeting)
    elastic_launch(config, main)(sys.argv[2:])
"""


def main() -> None:
    """Prints a line per way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        weights = f"{folder}/weights.pyth"
        model = network.build_network(engine.load_cfg(CONFIG, ["NUM_GPUS", 0]))
        torch.save({"model_state": model.state_dict()}, weights)
        Path(folder, "elastic.py").write_text(ELASTIC)
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for name, command in ways(folder, weights).items():
                found.setdefault(name, []).append(timed(command))
    for name, times in found.items():
        clock, cores = (statistics.median(values) for values in zip(*times, strict=True))
        print(f"{name:<16} {clock:6.1f} s, {cores:5.1f} s of all cores")


def ways(folder: str, weights: str) -> dict[str, list[str]]:
    """Returns the command of each way."""
    test = [
        "test", "--cfg", CONFIG, "BIAS.TOY.NUM_TEST", "4", "TEST.BATCH_SIZE", "2",
        "DATA_LOADER.NUM_WORKERS", "0", "TEST.CHECKPOINT_FILE_PATH", weights, "OUTPUT_DIR",
        f"{folder}/out", "NUM_GPUS",
    ]  # fmt: skip
    ours, meeting = ["-m", "slowfast_bias", *test], f"127.0.0.1:{free_port()}"
    torchrun = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port"]
    return {
        "one process": [sys.executable, *ours, "0"],
        "NUM_GPUS 2": [sys.executable, *ours, "2"],
        "torchrun": [sys.executable, *torchrun, str(free_port()), *ours, "0"],
        "elastic_launch": [sys.executable, f"{folder}/elastic.py", meeting, *test, "0"],
    }


def timed(command: list[str]) -> tuple[float, float]:
    """Returns the seconds of a clock and of all cores that a command takes."""
    path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
