#!/usr/bin/env python3
"""Everything that needs a GPU, once: its tests, its speed, and where a step waits for it.

Writes a page of tables with the device and the versions beside them. Parts that fail are named, and
the others go on; the exit status is 1 then.

    python benchmarks/gpu.py [--out docs/BENCHMARKS.md] [--parts tests measuring ...] [--crop 224]
"""

from __future__ import annotations

import argparse
import collections
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import slowfast_bias  # noqa: E402
from slowfast_bias import engine, host  # noqa: E402
from slowfast_bias.engine.measuring.measurement import measure_networks  # noqa: E402
from slowfast_bias.engine.setup import network  # noqa: E402
from slowfast_bias.engine.tasks import make_task  # noqa: E402
from slowfast_bias.models.families import family_of  # noqa: E402
from slowfast_bias.models.fast import tensor_float  # noqa: E402

STEPS, WARM_UP = 5, 2
NETWORKS = {
    "SlowOnly R50": "configs/Kinetics/SLOW_8x8_R50.yaml",
    "SlowFast R50": "configs/Kinetics/SLOWFAST_8x8_R50.yaml",
}


def main() -> int:
    """Writes the page; returns 1 if a part failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", default="docs/BENCHMARKS.md")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--crop", type=int, default=224)
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print("Expected a GPU that torch can see, but there is none: see `slowfast_bias doctor`.")
        return 2
    page, failed = [*HEAD.splitlines(), "", *machine(), ""], []
    for name in args.parts:
        title, part = PARTS[name]
        print(f"{name} ...", flush=True)
        page += [f"## {title}", ""]
        try:
            page += [*part(args), ""]
        except Exception as error:
            traceback.print_exc()
            failed.append(name)
            page += [f"Failed: {type(error).__name__}: {str(error).splitlines()[0]}", ""]
        Path(args.out).write_text("\n".join(page).rstrip() + "\n")  # what there is so far
    print(f"{args.out} is written" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return int(bool(failed))


HEAD = """# Numbers of a GPU

Made by `make gpu`, in one run on one machine. Nothing here is an average of several machines."""


def machine() -> list[str]:
    """Returns the table of what everything ran on."""
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(ask, capture_output=True, text=True).stdout.split("\n")[0]
    card = torch.cuda.get_device_properties(0)
    return table(
        ["what", "version"],
        [
            ["GPU", f"{card.name}, {card.total_memory / 2**30:.0f} GiB"],
            ["driver", driver or "unknown"],
            ["torch", f"{torch.__version__}, cuDNN {torch.backends.cudnn.version()}"],
            ["python", platform.python_version()],
            ["slowfast_bias", f"{slowfast_bias.__version__}, SlowFast {host.name}"],
        ],
    )


def run_tests(args: argparse.Namespace) -> list[str]:
    """Returns how many tests that need a GPU passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "8", "-m", "gpu", "tests"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    last = done.stdout.strip().splitlines()[-1]
    if done.returncode:
        raise RuntimeError(f"{last}\n{done.stdout[-20000:]}")
    said = re.sub(r" in .*|\d+ (deselected|warnings?),? ?", "", last).strip(" ,")
    return [f"`pytest -m gpu`: {said}."]


def measure(args: argparse.Namespace) -> list[str]:
    """Returns what `benchmarks/measure.py` prints."""
    options = ["--crop", args.crop, "--batch", args.batch, "--rounds", 3, "--without-reference"]
    return printed("benchmarks/measure.py", *options)


def drop(args: argparse.Namespace) -> list[str]:
    """Returns what `benchmarks/static_dropout.py` prints."""
    return printed("benchmarks/static_dropout.py", "--crop", args.crop, "--batch", args.batch)


def printed(script: str, *options: object) -> list[str]:
    """Returns the command of a script and its output, as Markdown."""
    words = [script, *map(str, options)]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return [f"`python {' '.join(words)}`", "", "```", *done.stdout.strip().splitlines(), "```"]


def train(args: argparse.Namespace) -> list[str]:
    """Returns clips a second and memory of training steps, in each arithmetic."""
    rows = []
    for name, path in NETWORKS.items():
        for arithmetic in ("fp32", "tf32", "fp16", "tf32, channels last", "fp16, channels last"):
            seconds, memory = time_steps(path, arithmetic, args)
            rate = args.batch / seconds
            rows.append([name, arithmetic, f"{rate:.0f}", f"{1e3 * seconds:.1f}", f"{memory:.1f}"])
    head = ["network", "arithmetic", "clips/s", "ms a step", "peak GiB"]
    return [
        f"Clips of noise, {args.crop} px, {args.batch} a step, median of {STEPS} steps; fp16 is "
        "TRAIN.MIXED_PRECISION.",
        "",
        *table(head, rows),
    ]


def time_steps(path: str, arithmetic: str, args: argparse.Namespace) -> tuple[float, float]:
    """Returns the median seconds of a training step and its peak memory in GiB."""
    mixed = arithmetic.startswith("fp16")
    size = ["DATA.TRAIN_CROP_SIZE", args.crop, "DATA.TEST_CROP_SIZE", args.crop, "NUM_GPUS", 1]
    cfg = engine.load_cfg(str(ROOT / path), [*size, "TRAIN.MIXED_PRECISION", mixed])
    model = network.build_network(cfg).train()
    optimizer = host.construct_optimizer(model, cfg)
    scaler = torch.amp.GradScaler("cuda", enabled=mixed)
    frames = cfg.DATA.NUM_FRAMES
    clips = torch.rand(args.batch, 3, frames, args.crop, args.crop, device="cuda")
    inputs, truth = make_task(cfg, model).pack(clips), torch.arange(args.batch, device="cuda")
    if "channels last" in arithmetic:
        layout = torch.channels_last_3d
        model.to(memory_format=layout)
        inputs = [x.contiguous(memory_format=layout) for x in inputs]
    torch.cuda.reset_peak_memory_stats()

    def step() -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        with network.autocast(cfg, clips.device):
            scores = family_of(model).call(model, list(inputs))
            loss = torch.nn.functional.cross_entropy(scores, truth)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    with tensor_float(arithmetic != "fp32"):
        seconds = [step() for _ in range(WARM_UP + STEPS)][WARM_UP:]
    return statistics.median(seconds), torch.cuda.max_memory_allocated() / 2**30


def waits(args: argparse.Namespace) -> list[str]:
    """Returns how often, and where, the host waits for the device in a run of each flow."""
    rows = []
    for flow, function in (("training", toy_training), ("measuring", toy_measuring)):
        steps, run = function()
        found = waiting_lines(run)
        for line, times in found.most_common(8):
            rows.append([flow, line, str(times), f"{times / steps:.2f}"])
        rows.append([flow, "all", str(sum(found.values())), f"{sum(found.values()) / steps:.2f}"])
    return [
        "Operations after which the host waits for the device, as torch's synchronisation debug "
        "mode counts them, by the line that asks.",
        "",
        *table(["flow", "line", "times", "a step"], rows),
    ]


def toy_training() -> tuple[int, Callable[[], object]]:
    """Returns the number of steps of a small training run, and the run."""
    folder = tempfile.mkdtemp()
    words = ["NUM_GPUS", 1, "SOLVER.MAX_EPOCH", 1, "OUTPUT_DIR", folder, "BIAS.ENABLE", False]
    cfg = engine.load_cfg(str(ROOT / "configs/Toy/SLOW_motion.yaml"), words)
    return cfg.BIAS.TOY.NUM_TRAIN // cfg.TRAIN.BATCH_SIZE, lambda: engine.train(cfg)


def toy_measuring() -> tuple[int, Callable[[], object]]:
    """Returns the number of batches of a small measurement, and the measurement."""
    words = ["NUM_GPUS", 1, "BIAS.TOY.NUM_VAL", 256, "TEST.BATCH_SIZE", 8]
    cfg = engine.load_cfg(str(ROOT / "configs/Toy/SLOW_motion.yaml"), words)
    model = network.build_network(cfg)
    return 256 // 8, lambda: measure_networks(cfg, {"net": model}, "config")


def waiting_lines(run: Callable[[], object]) -> collections.Counter:
    """Returns {line of source: how often the host waited there}."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    found: collections.Counter = collections.Counter()
    for warning in caught:
        if "synchronizing" in str(warning.message):
            path = Path(warning.filename)
            inside = path.is_relative_to(ROOT) and "site-packages" not in path.parts
            name = path.relative_to(ROOT) if inside else Path(*path.parts[-2:])
            found[f"{name}:{warning.lineno}"] += 1
    return found


def agree(args: argparse.Namespace) -> list[str]:
    """Returns how far features of the GPU are from those of the CPU, in each arithmetic."""
    rows = []
    for name, path in NETWORKS.items():
        off = feature_differences(path)
        rows += [[name, arithmetic, f"{worst:.1e}"] for arithmetic, worst in off.items()]
    return [
        "The largest difference of class scores from those of the CPU, of their range; two clips "
        "of noise at 112 px, random weights.",
        "",
        *table(["network", "arithmetic", "difference"], rows),
    ]


@torch.no_grad()
def feature_differences(path: str) -> dict[str, float]:
    """Returns {arithmetic: the largest difference of scores from the CPU's, of their range}."""
    words = ["DATA.TRAIN_CROP_SIZE", 112, "DATA.TEST_CROP_SIZE", 112, "NUM_GPUS", 0]
    cfg = engine.load_cfg(str(ROOT / path), words)
    model = network.build_network(cfg).train()  # scores of a network in training are no constants
    clips = torch.rand(2, 3, cfg.DATA.NUM_FRAMES, 112, 112)
    pack = make_task(cfg, model).pack
    call = family_of(model).call
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    exact = call(model, pack(clips))
    found, there = {}, model.cuda()
    for arithmetic in ("fp32", "tf32", "bf16"):
        half = torch.autocast("cuda", dtype=torch.bfloat16, enabled=arithmetic == "bf16")
        with tensor_float(arithmetic == "tf32"), half:
            scores = call(there, pack(clips.cuda())).float().cpu()
        found[arithmetic] = float((scores - exact).abs().max() / (exact.max() - exact.min()))
    return found


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Returns a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace], list[str]]]] = {
    "tests": ("Tests", run_tests),
    "agreement": ("The same numbers as a CPU", agree),
    "measuring": ("Measuring all layers", measure),
    "training": ("Training steps", train),
    "static_dropout": ("StaticDropout", drop),
    "waits": ("Where the host waits", waits),
}


if __name__ == "__main__":
    sys.exit(main())
