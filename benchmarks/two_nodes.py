#!/usr/bin/env python3
"""Two machines, simulated: two torchrun agents train, measure and test as one process does.

The agents meet on loopback, or, as root on Linux (--namespaces), each in a network namespace of its
own: two hosts that reach each other by one cable. Training is in float64, where the order of a sum
decides nothing; then the network that one process has trained is measured in float32 by all, for
the bound that rounding has there. Networks of masks have plain batch norm, which is each process's
own: for comparison they are trained by as many processes of one machine. The exit status is 1 if
numbers differ by more than rounding.

    python benchmarks/two_nodes.py [--each 1] [--namespaces] [--task classification segmentation]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slowfast_bias.bias import BiasReport  # noqa: E402
from slowfast_bias.engine.runtime.launcher import free_port  # noqa: E402
from slowfast_bias.engine.runtime.log import parse_json  # noqa: E402
from slowfast_bias.outputs import Outputs  # noqa: E402

RUN = """
import sys, torch
from slowfast_bias.cli import main
if sys.argv[1] == "double":
    torch.set_default_dtype(torch.float64)
sys.exit(main(["run", *sys.argv[2:]]))
"""
SHARED = [
    "SOLVER.MAX_EPOCH", "2", "TRAIN.EVAL_PERIOD", "1", "TRAIN.CHECKPOINT_PERIOD", "1",
    "BIAS.ENABLE", "True", "TEST.ENABLE", "True",
    "DATA_LOADER.NUM_WORKERS", "0", "NUM_GPUS", "0", "SOLVER.BASE_LR", "0.001",
    "BIAS.TOY.NUM_TRAIN", "32", "BIAS.TOY.NUM_VAL", "27", "BIAS.TOY.NUM_TEST", "21",
]  # fmt: skip
TASKS = {
    "classification": [
        "--cfg", str(ROOT / "configs/Toy/SLOW_motion.yaml"), "BN.NORM_TYPE", "sync_batchnorm",
    ],
    "segmentation": [
        "--cfg", str(ROOT / "configs/Toy/SEG_appearance.yaml"),
        "SOLVER.BASE_LR", "0.003", "SOLVER.MAX_EPOCH", "12", "BIAS.TOY.NUM_TRAIN", "64",
    ],
}  # fmt: skip
CLIPS = 8  # of a batch over all machines
CLOSE = 1e-6  # of the way that weights have come, in float64
ROUNDING = 1e-4  # of a unit's score, by float32


class Network(NamedTuple):
    """Where the agents are.

    Attributes:
        address: of the first one.
        prefix: of the command of each.
        env: what each is told.
    """

    address: str
    prefix: tuple[list[str], list[str]] = ([], [])
    env: tuple[dict[str, str], dict[str, str]] = ({}, {})


class Found(NamedTuple):
    """What a way of running has given."""

    weights: dict[str, torch.Tensor]
    report: BiasReport
    tested: dict[str, Any]
    seconds: float


def main() -> int:
    """Compares the ways for each task."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--each", type=int, default=1, help="processes of each machine")
    parser.add_argument("--namespaces", action="store_true", help="a network of their own; root")
    args = parser.parse_args()
    good = True
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        network = stack.enter_context(namespaces()) if args.namespaces else Network("127.0.0.1")
        for task in args.task:
            good &= compare(task, folder / task, network, args.each)
    return 0 if good else 1


def compare(task: str, folder: Path, network: Network, each: int) -> bool:
    """Prints how far two machines are from one process; returns whether that is rounding."""
    several = 2 * each if task == "segmentation" else 1
    here = Network("127.0.0.1")
    one = together(folder / "one", "double", TASKS[task], here, several, nodes=1)
    two = together(folder / "two", "double", TASKS[task], network, each)
    same = ["TRAIN.ENABLE", "False", "TEST.CHECKPOINT_FILE_PATH", last(folder / "one")]
    plain = together(folder / "plain", "single", [*TASKS[task], *same], here, 1, nodes=1)
    rounded = together(folder / "rounded", "single", [*TASKS[task], *same], network, each)
    moved = distance(one.weights, two.weights)
    units, scores = gap(one.report, two.report), gap(plain.report, rounded.report)
    alike = one.tested == two.tested and plain.tested == rounded.tested
    where = "loopback" if network.address == "127.0.0.1" else "two network namespaces"
    print(f"{task}, two machines of {each} process(es), {where}, {one.seconds:.0f} and "
          f"{two.seconds:.0f} s")  # fmt: skip
    print(f"  weights after training, float64: {moved:.1e} of the way they came")
    print(f"  unit scores of those networks, float64: {units:.1e}")
    print(f"  unit scores of one network, float32: {scores:.1e}")
    print(f"  test figures equal: {alike} ({two.tested})")
    return alike and moved < CLOSE and units < CLOSE and scores < ROUNDING


def together(
    out: Path, kind: str, words: Sequence[str], network: Network, each: int, nodes: int = 2
) -> Found:
    """Returns what agents of torchrun find, one on each machine, with `each` processes."""
    start, port = time.perf_counter(), str(free_port())
    agents = []
    for node in range(nodes):
        agent = [
            *network.prefix[node], sys.executable, "-m", "torch.distributed.run", "--nnodes",
            str(nodes), "--nproc_per_node", str(each), "--node_rank", str(node), "--master_addr",
            network.address, "--master_port", port, "--no_python",
            *command(out, kind, words, CLIPS // nodes),
        ]  # fmt: skip
        agents.append(start_quietly(agent, network.env[node]))
    wait(agents)
    return found(out, time.perf_counter() - start)


def command(out: Path, kind: str, words: Sequence[str], batch: int) -> list[str]:
    """Returns the command of a process; a batch is of one machine, as SlowFast counts it."""
    sizes = [word for key in ("TRAIN", "TEST") for word in (f"{key}.BATCH_SIZE", str(batch))]
    code = [sys.executable, "-c", RUN, kind]
    return [*code, *words[:2], "OUTPUT_DIR", str(out), *SHARED, *sizes, *words[2:]]


def start_quietly(words: Sequence[str], more: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts a process with one thread, on this checkout; only its errors are shown."""
    path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, **more}
    return subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)


def wait(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Returns when all have ended well; ends this program if one has not."""
    codes = [process.wait(900) for process in processes]
    if any(codes):
        sys.exit(f"a run ended with {codes}")


def found(out: Path, seconds: float) -> Found:
    """Returns what a run left in its folder."""
    outputs = Outputs(str(out))
    paths = outputs.list_checkpoints()
    weights = torch.load(paths[-1], weights_only=True)["model_state"] if paths else {}
    lines = map(parse_json, Path(outputs.stats).read_text().splitlines())
    (tested,) = (line for line in lines if line["_type"] == "test_final")
    return Found(weights, BiasReport.load(outputs.report()), tested, seconds)


def last(out: Path) -> str:
    """Returns the last checkpoint of a run."""
    return Outputs(str(out)).list_checkpoints()[-1]


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """Returns how far two networks are apart, as a share of their size."""
    first, second = (
        torch.cat([w.flatten() for w in x.values() if w.is_floating_point()]) for x in (a, b)
    )
    return float((first - second).norm() / first.norm())


def gap(a: BiasReport, b: BiasReport) -> float:
    """Returns the largest difference between the scores of a unit."""
    gaps = [
        (a[layer].correlation[f] - b[layer].correlation[f]).abs().nan_to_num(0).max().item()
        for layer in a.layers
        for f in a[layer].correlation
    ]
    return max(gaps)


@contextlib.contextmanager
def namespaces() -> Iterator[Network]:
    """Makes two network namespaces that one cable joins, and removes them."""
    names = [f"sfb{os.getpid()}{end}" for end in "ab"]
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "cable",
           "netns", names[1])  # fmt: skip
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            for device in ("lo", "cable"):
                ip("-n", name, "link", "set", device, "up")
        prefixes = tuple(["ip", "netns", "exec", name] for name in names)
        device = {"GLOO_SOCKET_IFNAME": "cable", "TP_SOCKET_IFNAME": "cable"}
        yield Network("10.77.0.1", prefixes, (device, device))
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def ip(*words: str) -> None:
    """Runs `ip`."""
    subprocess.run(["ip", *words], check=True)


if __name__ == "__main__":
    sys.exit(main())
