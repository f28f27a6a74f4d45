"""What hours and bytes many GPUs take: what was measured on CPUs, and assumptions, said as such."""

from __future__ import annotations

import math
from typing import NamedTuple

GPUS = (8, 64, 512)
VIEWS = 3  # a clip, its shuffled twin and its styled twin
PERIOD = 30  # steps between two estimates of StaticDropout, of two forwards each

# Measured: docs/EXPERIMENTS.md and `scale.py merge`, on one core of an AMD EPYC.
DECODE = 0.031  # core seconds of a clip of 8 frames out of 10 s of 340x256 H.264
SHARE, MERGE, REPORT = 14.3e6, 0.030, 1.0  # of R50's statistics: bytes, core seconds a rank, a run
WEIGHTS = 32.0e6  # counted: of SlowOnly 8x8 R50
# Measured on one H100 at 224 px, 8 clips at once: docs/BENCHMARKS.md. Seconds of a clip.
MEASURED = 0.0100 / VIEWS  # a view in float32, folded, stages reused: what BIAS.PRECISION fp32 runs
TRAINED = 0.0424 / 8 / 3  # a third of a step in tf32
# Assumed, none of it measured here.
CORES = 12  # of a CPU beside each GPU
NETWORK, INSIDE = 25e9, 200e9  # bytes a second to a GPU, from another machine and its own
DISK = 1e9  # bytes a second
START = 60.0  # seconds: imports, a job's start, meeting
MACHINE = 8  # GPUs


class Cost(NamedTuple):
    """What a run takes, in seconds by part, and what each GPU receives in a collective.

    Attributes:
        parts: of the run.
        collective: bytes.
    """

    parts: dict[str, float]
    collective: float

    def hours(self) -> float:
        """Returns the hours of the whole run."""
        return sum(self.parts.values()) / 3600

    def first(self) -> str:
        """Returns the part that takes most."""
        return max(self.parts, key=self.parts.__getitem__)


def measuring(videos: int, gpus: int, forward: float) -> Cost:
    """Returns the cost of measuring all layers of SlowOnly R50 on so many videos."""
    each = math.ceil(videos / gpus)
    gpu, decode = VIEWS * forward * each, DECODE / (CORES - 1) * each
    return Cost(
        {
            "start": START,
            "forwards": gpu,
            "waiting for decoders": max(0.0, decode - gpu),
            "merge": gpus * (SHARE / _speed(gpus) + MERGE),
            "report": REPORT,
        },
        gpus * SHARE,
    )


def training(
    gpus: int, forward: float, videos: int = 168_913, held_out: int = 24_777, epochs: int = 32,
    clips: int = 8,
) -> Cost:  # fmt: skip
    """Returns the cost of training SSv2 by configs/SSv2/SLOW_8x8_R50_static_dropout.yaml.

    Args:
        gpus: of all machines.
        forward: seconds of a clip's forward; with its backward it is three of them.
        videos: of the training list.
        held_out: of the validation list, every second epoch.
        epochs: with those of fine-tuning.
        clips: of a batch on each GPU.
    """
    steps = epochs * (videos // (clips * gpus))
    seen = steps * clips + epochs // 2 * math.ceil(held_out / gpus)
    estimates = steps / PERIOD * clips * 2 * forward
    gpu = 3 * forward * steps * clips + forward * (seen - steps * clips)
    sent = 2 * (gpus - 1) / gpus * 4 * WEIGHTS
    return Cost(
        {
            "start": START,
            "forwards and backwards": gpu,
            "estimates of StaticDropout": estimates,
            "waiting for decoders": max(0.0, DECODE / (CORES - 1) * seen - gpu - estimates),
            "gradients": steps * sent / _speed(gpus),
            "checkpoints": epochs // 2 * 8 * WEIGHTS / DISK,
        },
        sent,
    )


def show_gpus(forward: float | None) -> None:
    """Prints a table; `forward` is the time of another GPU, None: those of an H100."""
    seen, learnt = forward or MEASURED, forward or TRAINED
    print(
        f"\nSlowOnly 8x8 R50, 224 px; a clip's forward takes {1e3 * seen:.2f} ms where it is "
        f"measured, {1e3 * learnt:.2f} ms where it is learnt from\n"
    )
    print("| work | GPUs | hours | GB that a GPU receives in a collective | most of it | next |")
    print("|---|---:|---:|---:|---|---|")
    for gpus in GPUS:
        _line("measuring Kinetics val, 20,000", gpus, measuring(20_000, gpus, seen))
    for gpus in GPUS:
        _line("measuring Kinetics train, 240,000", gpus, measuring(240_000, gpus, seen))
    for gpus in GPUS:
        _line("training SSv2 with StaticDropout", gpus, training(gpus, learnt))
    busy = DECODE / (VIEWS * seen), DECODE / (3 * learnt)
    print(f"\ncores that decode for a GPU without a wait: {busy[0]:.0f} measuring, "
          f"{busy[1]:.0f} training")  # fmt: skip


def _line(work: str, gpus: int, cost: Cost) -> None:
    total = sum(cost.parts.values())
    order = sorted(cost.parts, key=cost.parts.__getitem__, reverse=True)[:2]
    shares = [f"{name} {100 * cost.parts[name] / total:.0f} %" for name in order]
    print(f"| {work} | {gpus} | {cost.hours():.3f} | {cost.collective / 1e9:.2g} | "
          f"{' | '.join(shares)} |")  # fmt: skip


def _speed(gpus: int) -> float:
    return INSIDE if gpus <= MACHINE else NETWORK
