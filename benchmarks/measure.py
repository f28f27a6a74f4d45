#!/usr/bin/env python3
"""What a measurement costs, side by side on one stream of batches, as ratios in one run.

(a) the bare three forwards per video; (b) our measurement of all layers, every view run in full by
the network as it is; (b+) the same with the clips kept that drive each unit most and least
(BIAS.TOP_CLIPS); (f) with batch norm folded, (l) with channels last, (d) with both, (d') and
frame-wise stages reused, as is the default; (h) bf16, and on a GPU (t) tf32, if this machine has
it; (k) compiled, if --compile; (c) the reference way: a separate run per stage, two forwards per
pair, gradients not switched off, features kept. Rounds alternate, so that a noisy machine is noisy
for all; the best rounds are compared, as noise only ever adds.

    python benchmarks/measure.py [--arch SLOW SLOWFAST] [--crop 112] [--batch 2] [--rounds 5]
        [--cpu-time] [--compile] [--without-reference]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias import FACTORS, BiasMeter, tapped  # noqa: E402
from slowfast_bias.bias.extremes import Extremes  # noqa: E402
from slowfast_bias.bias.layout import Layout  # noqa: E402
from slowfast_bias.datasets.pairs.request import PairRequest, Views  # noqa: E402
from slowfast_bias.datasets.pairs.static_dynamic import static_dynamic  # noqa: E402
from slowfast_bias.datasets.styles.bank import make_styles  # noqa: E402
from slowfast_bias.engine.measuring.layers import make_taps  # noqa: E402
from slowfast_bias.engine.measuring.probe import Probe  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402
from slowfast_bias.models.fast import tensor_float, why_no_bf16, why_no_tensor_float  # noqa: E402

CLIPS = 4  # of either end of a unit
DEFAULT = "(d') and stages reused"
CONFIGS = {
    "SLOW": "configs/Kinetics/SLOW_8x8_R50.yaml",
    "SLOWFAST": "configs/Kinetics/SLOWFAST_8x8_R50.yaml",
}


def main() -> None:
    """Prints one table per architecture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--arch", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--crop", type=int, default=112)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--cpu-time", action="store_true", help="seconds of all cores, not those of a clock"
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which is slow")
    parser.add_argument("--without-reference", action="store_true", help="leave (c) out")
    args = parser.parse_args()
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads"
    print(f"{where}, torch {torch.__version__}")
    clock = "seconds of all cores" if args.cpu_time else "seconds of a clock"
    print(f"{args.crop} px, batch {args.batch}, {args.rounds} rounds, {clock}")
    for arch in args.arch:
        compare(arch, args)


def compare(arch: str, args: argparse.Namespace) -> None:
    """Times every way on the same batch, round by round, and prints seconds a video and ratios."""
    gpus = int(torch.cuda.is_available())
    size = ["DATA.TRAIN_CROP_SIZE", args.crop, "DATA.TEST_CROP_SIZE", args.crop, "NUM_GPUS", gpus]
    cfg = engine.load_cfg(str(ROOT / CONFIGS[arch]), size)
    model = network.build_network(cfg).eval()
    device = next(model.parameters()).device
    ways = make_ways(cfg, model, device, args)
    for way in ways.values():
        way()  # warm-up, and the first-batch check of the reused stages
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    clock = time.process_time if args.cpu_time else time.perf_counter
    for _ in range(args.rounds):
        for name, way in ways.items():
            seconds[name].append(_timed(way, device, clock))
    print(f"\n{arch} R50, {len(make_taps(model, ['auto']))} taps")
    print(f"{'way':<30} s/video  / (a): best  median   peak MiB above idle")
    bare = seconds["(a) three forwards"]
    for name, times in seconds.items():
        best = min(times) / min(bare)
        ratio = statistics.median(t / a for t, a in zip(times, bare, strict=True))
        peak = _peak(ways[name], device)
        print(f"{name:<30} {min(times) / args.batch:7.3f} {best:13.3f} {ratio:7.3f} {peak:11.0f}")
    ours = seconds["(b) all layers"]
    if not args.without_reference:
        reference, default = seconds["(c) a run per stage"], seconds[DEFAULT]
        print(f"(c) / (b) = {min(reference) / min(ours):.2f}")
        print(f"(c) / (d') = {min(reference) / min(default):.2f}")
    third = third_pair(cfg, model, device, args)
    print(f"the third pair takes {100 * third / min(ours):.2f} % of (b)")
    kept = top_clips(cfg, model, device, args)
    print(f"keeping top clips takes {100 * kept / min(ours):.2f} % of (b)")


@torch.no_grad()
def third_pair(
    cfg: object, model: torch.nn.Module, device: torch.device, args: argparse.Namespace
) -> float:
    """The seconds that statistics of pairs "neither" take for one batch; no forward is theirs."""
    views, videos = make_views(cfg, model, device, args)
    taps, by_view = make_taps(model, ["auto"]), {}
    with tapped(model, taps) as features:
        for view, inputs in views.inputs.items():
            model(list(inputs))
            by_view[view] = dict(features)
    meter = BiasMeter(taps)
    pair = [by_view[view] for view in views.pairs["neither"]]
    return min(
        _timed(lambda: meter.update("neither", *pair, videos, videos), device) for _ in range(20)
    )


@torch.no_grad()
def top_clips(
    cfg: object, model: torch.nn.Module, device: torch.device, args: argparse.Namespace
) -> float:
    """The seconds that ranking one batch among the clips so far takes; no forward is its own."""
    views, videos = make_views(cfg, model, device, args)
    taps = make_taps(model, ["auto"])
    with tapped(model, taps) as features:
        model(list(next(iter(views.inputs.values()))))
        columns = Layout.of(features, features).flatten(features)
    numbers = torch.tensor(videos)
    known = Extremes.of(torch.randn(100, columns.shape[1], device=device), torch.arange(100), CLIPS)
    return min(
        _timed(lambda: known.merge(Extremes.of(columns, numbers, CLIPS)), device) for _ in range(20)
    )


def make_ways(
    cfg: object, model: torch.nn.Module, device: torch.device, args: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """The ways to process one batch; views are made outside of all of them."""
    views, videos = make_views(cfg, model, device, args)

    def probe(clips: int = 0, **options: object) -> Callable[[], object]:
        mine = cfg.clone()
        mine.defrost()
        for key, value in options.items():
            mine.BIAS[key] = value
        metered = Probe(mine, model, clips=clips)
        return lambda: metered.add(views, videos, videos)

    @torch.no_grad()
    def bare(rounded: bool = False) -> None:
        with tensor_float(rounded):
            for inputs in views.inputs.values():
                model(list(inputs))

    def reference() -> None:
        kept = []
        stages = [tap for tap in make_taps(model, ["auto"]) if tap.label != "head"]
        for tap in stages:  # one factor and one stage at a time, as the public code runs
            for pair in (views.pairs[factor] for factor in FACTORS):
                with tapped(model, [tap]) as features:
                    for view in pair:
                        model(list(views.inputs[view]))
                        kept.append({name: x.cpu().numpy() for name, x in features.items()})

    full = {"REUSE_PREFIX": False, "CHANNELS_LAST": "never", "FOLD_BATCHNORM": False}
    ways = {
        "(a) three forwards": bare,
        "(b) all layers": probe(**full),
        "(b+) top clips kept": probe(clips=CLIPS, **full),
        "(f) batch norm folded": probe(**full | {"FOLD_BATCHNORM": True}),
        "(l) channels last": probe(**full | {"CHANNELS_LAST": "always"}),
        "(d) folded, channels last": probe(REUSE_PREFIX=False),
        DEFAULT: probe(),
    }
    if not why_no_tensor_float(device.type):
        ways["(at) three forwards in tf32"] = functools.partial(bare, rounded=True)
        ways["(t) tf32, folded, reused"] = probe(PRECISION="tf32")
        ways["(tl) the same, channels last"] = probe(PRECISION="tf32", CHANNELS_LAST="always")
    if not why_no_bf16(device.type):
        ways["(h) bf16, folded, reused"] = probe(PRECISION="bf16")
    if args.compile:
        ways["(k) as (d'), compiled"] = probe(COMPILE=True)
    return ways if args.without_reference else ways | {"(c) a run per stage": reference}


def make_views(
    cfg: object, model: torch.nn.Module, device: torch.device, args: argparse.Namespace
) -> tuple[Views, list[int]]:
    """The views of one batch of noise, and the numbers of its videos."""
    clips = torch.rand(args.batch, 3, cfg.DATA.NUM_FRAMES, args.crop, args.crop, device=device)
    videos = list(range(args.batch))
    pack = make_task(cfg, model).pack
    return static_dynamic(PairRequest(clips, videos, pack, make_styles())), videos


def _timed(
    way: Callable[[], object],
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    _finish(device)
    start = clock()
    way()
    _finish(device)
    return clock() - start


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _peak(way: Callable[[], object], device: torch.device) -> float:
    """Peak memory of one call above what was in use before it, in MiB (sampled on a CPU)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        way()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before, peak, stop = _resident(), [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    way()
    stop.set()
    watcher.join()
    return max(0.0, peak[0] - before) / 2**20


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096.0


if __name__ == "__main__":
    main()
