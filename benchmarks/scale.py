#!/usr/bin/env python3
"""What a run costs with how many processes: fitted here, checked, and carried on to many GPUs.

fit     CPU seconds of each phase of a rank (a busy machine disturbs them less than a clock), on 1,
        2 and 4 gloo processes; then the same is predicted for three with other numbers of videos
        and clips, which the fit has not seen.
merge   what a share of ResNet-50's statistics weighs and takes to be sent round and merged.
ranks   64 gloo processes with a network of a few units against one: the same report.
gpus    hours and bytes on 8, 64 and 512 GPUs, from these and from docs/SCALE.md's assumptions.

    python benchmarks/scale.py [fit merge ranks gpus] [--gpu-forward SECONDS]
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.scale_gpus import show_gpus  # noqa: E402
from slowfast_bias import engine  # noqa: E402
from slowfast_bias.bias import BiasMeter  # noqa: E402
from slowfast_bias.cluster_rank import ClusterRank  # noqa: E402
from slowfast_bias.engine.measuring import measurement  # noqa: E402
from slowfast_bias.engine.measuring.portions import Portions  # noqa: E402
from slowfast_bias.engine.runtime import ranks  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.engine.training import loop  # noqa: E402

TOY = str(ROOT / "configs/Toy/SLOW_motion.yaml")
FITTED = (1, 2, 4)
VIDEOS, CLIPS = (24, 48), (8, 16)  # measured; of a batch in training
CHECKED = 3, 60, 24  # processes, videos, clips of a batch
STEPS = 6  # of an epoch
WIDTHS = {"s1": 64, "s2": 256, "s3": 512, "s4": 1024, "s5": 2048, "head": 2048}
RANKS = 64

Phases = dict[str, float]


class Clock:
    """CPU seconds of this process, by phase."""

    def __init__(self) -> None:
        self.phases: Phases = {}

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function that counts what it takes."""

        def call(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **options)
            finally:
                self.phases[name] = self.phases.get(name, 0) + time.process_time() - start

        return call

    def stepped(self, name: str) -> Callable[..., Iterator[Any]]:
        """Returns what stands for `log.progress` and counts what the next item takes."""

        def progress(steps: Iterable[Any], total: int, title: str) -> Iterator[Any]:
            steps, end = iter(steps), object()
            following = self.timed(name, lambda: next(steps, end))
            while (item := following()) is not end:
                yield item

        return progress


def main() -> int:
    """Does the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parts = {"fit": fit, "merge": merge, "ranks": many_ranks}
    parser.add_argument("parts", nargs="*", default=[*parts, "gpus"], metavar="PART")
    parser.add_argument("--gpu-forward", type=float, help="seconds of a clip's forward")
    args = parser.parse_args()
    torch.set_num_threads(1)
    good = [parts[name]() for name in args.parts if name in parts]
    if "gpus" in args.parts:
        show_gpus(args.gpu_forward)
    return 0 if all(good) else 1


def group(world: int, work: Callable[..., Any], *args: Any) -> list[Any]:
    """Returns what `work(*args)` returns on each rank of a gloo group, forked from here."""
    with tempfile.TemporaryDirectory() as folder:
        pids = []
        for rank in range(world):
            if (pid := os.fork()) == 0:
                _rank(rank, world, folder, work, args)
            pids.append(pid)
        codes = [os.waitpid(pid, 0)[1] for pid in pids]
        if any(codes):
            sys.exit("a rank failed")
        return [pickle.loads(Path(folder, str(rank)).read_bytes()) for rank in range(world)]


def _rank(rank: int, world: int, folder: str, work: Callable[..., Any], args: Any) -> None:
    status = 1
    try:
        if world > 1:
            place = ClusterRank(rank, world, rank, f"file://{folder}/meeting", world)
            ranks.join(place, world, cuda=False)
        Path(folder, str(rank)).write_bytes(pickle.dumps(work(*args)))
        ranks.wait()
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


# -- fit -----------------------------------------------------------------------------------------


def fit() -> bool:
    """Fits both flows and checks the fit; returns whether it predicts to a fifth."""
    measured = [(p, n, mean(group(p, measure, p, n))) for p in FITTED for n in VIDEOS]
    trained = [(p, b, mean(group(p, train, p, b))) for p in FITTED for b in CLIPS]
    world, videos, clips = CHECKED
    print(f"CPU seconds of a rank, fitted on {FITTED} processes; predicted and measured on {world}")
    laws = {
        "decode": lambda p, n: (n / p,),
        "forwards": lambda p, n: (n / p,),
        "merge": lambda p, n: (1, p),
        "report": lambda p, n: (1,),
    }
    seen = mean(group(world, measure, world, videos))
    good = predict("measuring", laws, measured, world, videos, seen)
    laws = {"steps": lambda p, b: (1, b / p, p > 1), "checkpoint": lambda p, b: (1,)}
    seen = mean(group(world, train, world, clips))
    return predict("training", laws, trained, world, clips, seen) and good


def predict(
    title: str, laws: dict[str, Any], rows: Sequence[Any], world: int, size: int, seen: Phases
) -> bool:
    """Prints a line per phase; returns whether their sum is predicted to a fifth."""
    total = 0.0
    for name, law in laws.items():
        left = torch.tensor([[float(x) for x in law(p, n)] for p, n, _ in rows])
        right = torch.tensor([[phases[name]] for _, _, phases in rows])
        weights = torch.linalg.lstsq(left, right).solution.flatten()
        guess = float(weights @ torch.tensor([float(x) for x in law(world, size)]))
        total += guess
        terms = ", ".join(f"{w:.4f}" for w in weights.tolist())
        print(f"  {title:<9} {name:<10} terms {terms:<24} {guess:6.3f} {seen[name]:6.3f}")
    share = total / sum(seen[name] for name in laws)
    print(f"  {title:<9} predicted {share:.2f} of what was measured")
    return abs(share - 1) < 0.2


def mean(shares: Sequence[Phases]) -> Phases:
    """Returns the mean over ranks of each phase; of what rank 0 does alone, its own."""
    own = {"checkpoint"}
    return {
        name: (shares[0][name] if name in own else sum(s[name] for s in shares) / len(shares))
        for name in shares[0]
    }


def measure(world: int, videos: int) -> Phases:
    """Measures on this rank; returns its phases."""
    cfg, clock = config(world, "BIAS.TOY.NUM_VAL", videos), Clock()
    measurement.progress = clock.stepped("decode")
    measurement.all_merge = clock.timed("merge", measurement.all_merge)
    Portions.show = clock.timed("forwards", Portions.show)
    BiasMeter.compute = clock.timed("report", BiasMeter.compute)
    measurement.measure_networks(cfg, {"net": network.build_network(cfg)}, "config")
    return clock.phases


def train(world: int, clips: int) -> Phases:
    """Trains an epoch on this rank; returns its phases."""
    clock = Clock()
    loop.train_epoch = clock.timed("steps", loop.train_epoch)
    loop.checkpoint.save_checkpoint = clock.timed("checkpoint", loop.checkpoint.save_checkpoint)
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as sys.stdout:
        out = ranks.from_master(folder)
        words = ["TRAIN.BATCH_SIZE", clips, "BIAS.TOY.NUM_TRAIN", STEPS * clips, "OUTPUT_DIR", out]
        words += ["BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.PERIOD", 3]
        loop.train(config(world, *words, "BIAS.TOY.NUM_VAL", world, "SOLVER.MAX_EPOCH", 1))
        ranks.wait()
    return {"checkpoint": 0.0, **clock.phases}


def config(world: int, *words: Any) -> Any:
    """Returns the config of a rank; batches of measuring and testing are one clip of each."""
    more = ["NUM_GPUS", 0, "TEST.BATCH_SIZE", world, "DATA_LOADER.NUM_WORKERS", 0, *words]
    return engine.load_cfg(TOY, more, check=False)


# -- merge ---------------------------------------------------------------------------------------


def merge() -> bool:
    """Prints what a share of ResNet-50's statistics weighs, and takes on this CPU."""
    meter = BiasMeter(WIDTHS)
    views = [{name: torch.randn(40, c) for name, c in WIDTHS.items()} for _ in range(3)]
    for factor, (a, b) in {"static": (0, 1), "dynamic": (0, 2), "neither": (1, 2)}.items():
        meter.update(factor, views[a], views[b], torch.arange(40))
    start = time.process_time()
    packed = pickle.dumps(meter)
    middle = time.process_time()
    merged = BiasMeter(WIDTHS).merge(meter).merge(pickle.loads(packed))
    end = time.process_time()
    merged.compute()
    last = time.process_time()
    print(f"merge: {len(packed) / 1e6:.1f} MB a share, packed in {middle - start:.3f} s, unpacked "
          f"and merged in {(end - middle) / 2:.3f} s of a core; the report of them all takes "
          f"{last - end:.2f} s")  # fmt: skip
    return True


# -- ranks ---------------------------------------------------------------------------------------


def many_ranks() -> bool:
    """Compares 64 processes with one; returns whether their reports are equal."""
    small = ["RESNET.WIDTH_PER_GROUP", 4, "RESNET.DEPTH", 18, "DATA.TRAIN_CROP_SIZE", 32,
             "DATA.TEST_CROP_SIZE", 32, "BIAS.TOY.NUM_VAL", 2 * RANKS + 7]  # fmt: skip
    start = time.perf_counter()
    (alone,) = group(1, unit_scores, 1, small)
    middle = time.perf_counter()
    shares = group(RANKS, unit_scores, RANKS, small)
    end = time.perf_counter()
    gap = max(float((alone[key] - shares[0][key]).abs().nan_to_num(0).max()) for key in alone)
    same = all(torch.equal(share[key], shares[0][key]) for share in shares for key in alone)
    print(f"ranks: {RANKS} processes against one, {middle - start:.0f} and {end - middle:.0f} s: "
          f"unit scores differ by {gap:.1e}; the same on all ranks: {same}")  # fmt: skip
    return gap < 1e-12 and same


def unit_scores(world: int, words: Sequence[Any]) -> dict[tuple[str, str], torch.Tensor]:
    """Measures on this rank; returns the scores of all units."""
    cfg = config(world, *words)
    report = measurement.measure_networks(cfg, {"net": network.build_network(cfg)}, "config")["net"]
    return {
        (name, factor): scores.nan_to_num(9)
        for name, layer in report.layers.items()
        for factor, scores in layer.correlation.items()
    }


if __name__ == "__main__":
    sys.exit(main())
