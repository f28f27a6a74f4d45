#!/usr/bin/env python3
"""What a training clip costs beyond decoding, and clips a second against what a network takes.

SlowOnly R50's input (8 frames, rate 8, crop 224) out of 10 s of 340x256 H.264. The first table
times the steps inside one pass of the loader without workers; the second the loader with 0, 1 and 2
workers and a forward of the network, in one run. The last line is of training at 112 px with two
workers: the share of an epoch in which it waits for clips.

    python benchmarks/loader.py [--clips 32] [--gop 50] [--rounds 5]
"""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from fvcore.common.config import CfgNode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.videos import write_video  # noqa: E402

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.datasets.decoding.read_frames import read_frames  # noqa: E402
from slowfast_bias.datasets.sampling import crops, split_views  # noqa: E402
from slowfast_bias.engine.setup.loaders import build_loader  # noqa: E402
from slowfast_bias.engine.setup.network import build_network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402

BATCH = 4


def main() -> None:
    """Prints what the steps of a clip cost, and clips a second."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--gop", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
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
        show_steps(folder, args.rounds)
        show_rates(folder, args.clips)
        show_waiting(folder)


def config(folder: str, workers: int, *more: object) -> CfgNode:
    """SlowOnly's config on the videos of a folder."""
    words = ["DATA.PATH_TO_DATA_DIR", folder, "NUM_GPUS", 0, "TRAIN.BATCH_SIZE", BATCH]
    words += ["MODEL.NUM_CLASSES", 2, "DATA_LOADER.NUM_WORKERS", workers, *more]
    return engine.load_cfg(str(ROOT / "configs/Kinetics/SLOW_8x8_R50.yaml"), words)


def show_steps(folder: str, rounds: int) -> None:
    """Milliseconds of a clip by step, all of one pass; the pass with the median overhead."""
    cfg = config(folder, 0)
    loader, spent = build_loader(cfg, "train"), collections.Counter()

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*args, **named)
            finally:
                spent[name] += time.perf_counter() - start

        return run

    task = make_task(cfg, build_network(cfg))

    def clips() -> Iterator[None]:
        for batch in loader:
            timed("normalising", task.inputs)(batch, torch.device("cpu"))
            yield

    passes = []
    with (
        mock.patch.object(split_views, "read_frames", timed("decoding", read_frames)),
        mock.patch.object(crops, "resize", timed("resizing", crops.resize)),
    ):
        for _ in range(rounds + 1):  # the first one warms up
            spent.clear()
            start = time.perf_counter()
            collections.deque(clips(), maxlen=0)
            whole = time.perf_counter() - start
            rest = whole - spent.total()
            passes.append({**spent, "drawing, cropping, mirroring, collating": rest, "all": whole})

    def share(steps: dict[str, float], name: str) -> float:
        return steps[name] / (steps["decoding"] + steps["resizing"])

    middle = sorted(passes[1:], key=lambda steps: share(steps, "all"))[rounds // 2]
    print("ms a clip, one thread, no workers")
    for name, seconds in middle.items():
        print(f"  {name:<42}{1e3 * seconds / len(loader.dataset):6.1f}")
    rest = 100 * share(middle, "drawing, cropping, mirroring, collating")
    print(f"the loader beyond decoding and resizing: {rest:.1f} %")
    on_cpu = 100 * share(middle, "normalising")
    print(f"normalising, on the network's device, here the CPU: {on_cpu:.1f} %\n")


def show_rates(folder: str, clips: int) -> None:
    """Clips a second of the loader, and what a forward of the network takes."""
    loaders = {n: build_loader(config(folder, n), "train") for n in (0, 1, 2)}
    rates = {
        n: clips / _seconds(lambda x=loader: sum(1 for _ in x)) for n, loader in loaders.items()
    }
    demand = 1 / _seconds(_forward(config(folder, 0)))
    print(f"a forward of SlowOnly R50 takes {demand:.2f} clips a second here (one thread)")
    for workers, rate in rates.items():
        print(f"loader, {workers} workers  {rate:6.1f} clips/s, {rate / demand:5.1f} times as many")


def show_waiting(folder: str) -> None:
    """The share of an epoch of training that is spent waiting for two workers."""
    names = [f"more{i}.mp4" for i in range(96)]  # the start of the workers counts as well
    for name in names:
        Path(folder, name).hardlink_to(Path(folder, "film.mp4"))
    Path(folder, "train.csv").write_text(
        "".join(f"{name} {i % 2}\n" for i, name in enumerate(names))
    )
    words = ["DATA.TRAIN_CROP_SIZE", 112, "SOLVER.MAX_EPOCH", 1, "TRAIN.EVAL_PERIOD", 2]
    words += ["BIAS.ENABLE", False, "OUTPUT_DIR", str(Path(folder, "out")), "SOLVER.BASE_LR", 1e-3]
    words += ["DATA.TRAIN_JITTER_SCALES", [128, 160]]
    trained = engine.train(config(folder, 2, *words)).train
    print(f"training at 112 px waits for two workers {100 * trained['dt_data_share']:.1f} % of "
          f"{trained['seconds']:.0f} s")  # fmt: skip


def _forward(cfg: CfgNode) -> Callable[[], object]:
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
