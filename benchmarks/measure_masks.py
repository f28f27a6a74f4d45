#!/usr/bin/env python3
"""What measuring a two-stream network costs, as ratios to the bare forwards of its three views.

On frames and flow of 854x480 that are made for it, one thread: (a) the three forwards; (b) the same
with all layers read and metered; what making the views and reading image and flow take beside (a);
and the peak memory of whole measurements of few frames and of many. Rounds of (a) and (b)
alternate, so that a noisy machine is noisy for both; the best are compared, as noise only adds.

    python benchmarks/measure_masks.py [--network MATNET FUSIONSEG] [--pairs flow_jitter]
        [--size 473 473] [--rounds 3] [--frames 16 128]

Memory is that of small networks at the same size of frames, in processes of their own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from fvcore.common.config import CfgNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.datasets.flow.files import write_flow_picture  # noqa: E402
from slowfast_bias.datasets.flow.wheel import coded  # noqa: E402
from slowfast_bias.datasets.pairs.request import pair_maker  # noqa: E402
from slowfast_bias.engine.measuring.measurement import measure_networks  # noqa: E402
from slowfast_bias.engine.measuring.probe import Probe  # noqa: E402
from slowfast_bias.engine.measuring.views import make_views  # noqa: E402
from slowfast_bias.engine.setup.loaders import source_loader  # noqa: E402
from slowfast_bias.engine.setup.network import build_network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402

SEQUENCES, WIDTH, HEIGHT = 2, 854, 480
SMALL = ["BIAS.SEGMENTATION.TRUNK", "resnet18", "BIAS.SEGMENTATION.WIDTH", 8]


def main() -> None:
    """Prints a paragraph per network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--network", nargs="+", default=["MATNET", "FUSIONSEG"])
    parser.add_argument("--pairs", default="flow_jitter", choices=("flow_jitter", "flow_swap"))
    parser.add_argument("--size", type=int, nargs=2, help="by default that of the network")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, nargs=2, default=(16, 128), help="of memory")
    parser.add_argument("--peak", help="print the peak memory of measuring this folder, and end")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.peak:
        print(peak(config(args.network[0], args.peak, args, *SMALL)))
        return
    print(f"CPU, one thread, torch {torch.__version__}, {args.pairs}")
    with tempfile.TemporaryDirectory() as folder:
        for count in args.frames:
            write_frames(Path(folder) / str(count), count)
        for name in args.network:
            compare(name, f"{folder}/{args.frames[0]}", args)
            peaks = [peak_elsewhere(name, f"{folder}/{n}", args) for n in args.frames]
            few, many = args.frames
            print(f"peak memory, small: {few} frames {peaks[0]:.0f} MiB, {many} {peaks[1]:.0f}")


def config(name: str, folder: str, args: argparse.Namespace, *more: object) -> CfgNode:
    """Returns the config of a network of configs/DAVIS16 on a folder of frames."""
    words = ["DATA.PATH_TO_DATA_DIR", folder, "BIAS.SEGMENTS.FORMAT", "sequences", "NUM_GPUS", 0]
    words += ["BIAS.PAIRS", args.pairs, "TEST.BATCH_SIZE", 1, "DATA_LOADER.NUM_WORKERS", 0]
    words += ["BIAS.ENABLE", True, "BIAS.STYLES.FAMILY", "grade", "OUTPUT_DIR", f"{folder}/out"]
    words += ["BIAS.SEGMENTS.SIZE", list(args.size)] if args.size else []
    return engine.load_cfg(f"{ROOT}/configs/DAVIS16/{name}.yaml", [*words, *more])


def compare(name: str, folder: str, args: argparse.Namespace) -> None:
    """Times the forwards, the measurement, the views and the reading of one frame."""
    cfg = config(name, folder, args)
    model = build_network(cfg).eval()
    task, maker, probe = make_task(cfg, model), pair_maker(cfg.BIAS.PAIRS), Probe(cfg, model)
    source = maker.source(cfg, "val", args.frames[0])
    batch, videos = next(iter(source_loader(cfg, source))), [0]

    def views() -> object:
        return make_views(cfg, source, batch.inputs, videos, maker, task.pack)

    shown = views()

    @torch.no_grad()
    def bare() -> None:
        for inputs in shown.inputs.values():
            task.family.call(model, inputs)

    def measured() -> None:
        probe.add(shown, videos, videos)

    ways: dict[Callable[[], object], list[float]] = {bare: [], measured: []}
    for way in ways:
        way()  # warm-up, and the checks of the first batch
    for _ in range(args.rounds):
        for way, seconds in ways.items():
            seconds.append(timed(way))
    best = {way: min(seconds) for way, seconds in ways.items()}
    ratio = statistics.median(b / a for a, b in zip(ways[bare], ways[measured], strict=True))
    print(f"\n{name}, {tuple(cfg.BIAS.SEGMENTS.SIZE)}, {len(probe.taps)} layers, one frame a batch")
    print(f"three forwards        {best[bare]:7.3f} s a frame")
    print(f"all layers measured   {best[measured] / best[bare]:7.3f} of it, median {ratio:.3f}")
    making = min(timed(views) for _ in range(5))
    reading = statistics.fmean(timed(lambda k=k: source.sample(k)) for k in range(args.frames[0]))
    print(f"making the views      {100 * making / best[bare]:7.2f} % of it")
    print(f"reading image, flow   {100 * reading / best[bare]:7.2f} % of it")


def timed(way: Callable[[], object]) -> float:
    """Returns the seconds of this process that something takes: other processes take none."""
    start = time.process_time()
    way()
    return time.process_time() - start


def peak(cfg: CfgNode) -> float:
    """Returns the peak memory of this process after a measurement, in MiB."""
    measure_networks(cfg, {"trained": build_network(cfg)}, "none")
    # not `ru_maxrss`: a process starts with that of the one it was forked from
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kib) / 2**10


def peak_elsewhere(name: str, folder: str, args: argparse.Namespace) -> float:
    """Returns what `peak` returns in a process of its own."""
    words = [sys.executable, __file__, "--network", name, "--peak", folder, "--pairs", args.pairs]
    words += ["--size", *map(str, args.size)] if args.size else []
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def write_frames(folder: Path, frames: int) -> None:
    """Writes sequences of soft noise that drifts, as JPEG, and their flow, as PNG."""
    rng = np.random.default_rng(0)
    for sequence in "ab"[:SEQUENCES]:
        scene = cv2.GaussianBlur(rng.normal(128, 900, (HEIGHT, WIDTH, 3)), (0, 0), 4)
        images, flows = (folder / kind / sequence for kind in ("JPEGImages", "FlowImages_gap1"))
        images.mkdir(parents=True)
        flows.mkdir(parents=True)
        for k in range(frames // SEQUENCES + 1):
            picture = np.roll(scene, 3 * k, 1).clip(0, 255).astype(np.uint8)
            cv2.imwrite(f"{images}/{k:05d}.jpg", picture)
            if k < frames // SEQUENCES:
                flow = cv2.GaussianBlur(rng.normal(0, 99, (HEIGHT, WIDTH, 2)), (0, 0), 20)
                write_flow_picture(f"{flows}/{k:05d}.png", coded(flow.astype(np.float32)))


if __name__ == "__main__":
    main()
