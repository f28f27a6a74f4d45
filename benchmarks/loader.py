#!/usr/bin/env python3
"""Clips a second: the loader of real videos against what a network can take, in one run.

SlowOnly R50's input (8 frames, rate 8, crop 224) out of 10 s of 340x256 H.264. The first line reads
frames and nothing else; the others add resizing, cropping, normalising, packing and the workers.

    python benchmarks/loader.py [--clips 16] [--gop 50]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "datasets")]

from make_videos import write_video  # noqa: E402

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.datasets.decode import read_frames  # noqa: E402
from slowfast_bias.datasets.temporal import pick_frames  # noqa: E402
from slowfast_bias.engine.data import build_loader  # noqa: E402
from slowfast_bias.engine.network import build_network  # noqa: E402

BATCH = 4


def main() -> None:
    """Prints clips a second, and the ratio to what a forward of the network takes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--gop", type=int, default=50)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "film.mp4")
        write_video(path, 300, size=(340, 256), gop=args.gop, crf=20, sc_threshold=0)
        for i in range(args.clips):  # one file under many names: no decoder keeps anything open
            (Path(folder) / f"{i}.mp4").hardlink_to(path)
        for split in ("train", "val", "test"):
            rows = "".join(f"{i}.mp4 {i % 2}\n" for i in range(args.clips))
            (Path(folder) / f"{split}.csv").write_text(rows)
        compare(folder, path, args.clips)


def compare(folder: str, path: str, clips: int) -> None:
    """Times reading alone, the loader with 0, 1 and 2 workers, and a forward of the network."""
    options = ["DATA.PATH_TO_DATA_DIR", folder, "NUM_GPUS", 0, "TRAIN.BATCH_SIZE", BATCH]
    options += ["MODEL.NUM_CLASSES", 2]

    def config(workers: int) -> object:
        more = ["DATA_LOADER.NUM_WORKERS", workers]
        return engine.load_cfg(str(ROOT / "configs/Kinetics/SLOW_8x8_R50.yaml"), options + more)

    def read() -> None:
        for clip in range(clips):
            picks = pick_frames(300, 30.0, 8, 8, clip=clip % 10, num_clips=10)
            read_frames(path, picks)

    loaders = {f"loader, {n} workers": build_loader(config(n), "train") for n in (0, 1, 2)}
    ways: dict[str, Callable[[], object]] = {"reading frames alone": read}
    ways |= {name: lambda x=loader: sum(1 for _ in x) for name, loader in loaders.items()}
    rates = {name: clips / _seconds(way) for name, way in ways.items()}
    demand = 1 / _seconds(_forward(config(0)))
    print(f"a forward of SlowOnly R50 takes {demand:.2f} clips a second here (one thread)")
    for name, rate in rates.items():
        print(f"{name:<22} {rate:7.1f} clips/s, {rate / demand:6.1f} times the network's demand")
    cost = rates["reading frames alone"] / rates["loader, 0 workers"] - 1
    print(f"resizing, cropping, normalising and collating add {100 * cost:.0f} % to reading")


def _forward(cfg: object) -> Callable[[], object]:
    model, x = build_network(cfg).eval(), torch.rand(1, 3, 8, 224, 224)

    @torch.no_grad()
    def forward() -> object:
        return model([x])

    return forward


def _seconds(way: Callable[[], object]) -> float:
    way()  # warm-up
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
