#!/usr/bin/env python3
"""Injects faults into runs on toy videos, and writes what became of them: docs/RELIABILITY.md.

Every fault is injected from outside, into a run of its own, and then the same command is given
again. A row says how often, how the run ended and in what words, and what work was lost. The exit
status is 1 if one of them ended in another way than it should.

    python benchmarks/faults.py [--kills 200] [--rounds 3] [--only NAME ...] [--out FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.fault_files import bomb, flip_one_bit, hungry_pickle  # noqa: E402
from slowfast_bias import cli  # noqa: E402
from slowfast_bias import engine as engine  # noqa: E402  before a fork: its imports take seconds
from slowfast_bias.bias import BiasReport  # noqa: E402
from slowfast_bias.engine.runtime.launcher import free_port  # noqa: E402
from slowfast_bias.outputs import Outputs  # noqa: E402

WORDS = [
    "--cfg", str(ROOT / "configs/Toy/SLOW_motion.yaml"), "BIAS.TOY.NUM_TRAIN", "32",
    "BIAS.TOY.NUM_VAL", "16", "BIAS.TOY.NUM_TEST", "16", "SOLVER.MAX_EPOCH", "3",
    "TRAIN.CHECKPOINT_PERIOD", "1", "TRAIN.EVAL_PERIOD", "1", "BIAS.ENABLE", "True",
    "TEST.ENABLE", "False", "DATA_LOADER.NUM_WORKERS", "0", "NUM_GPUS", "0", "LOG_PERIOD", "1",
]  # fmt: skip
LONG = ["SOLVER.MAX_EPOCH", "200", "BIAS.ENABLE", "False"]
MEASURE = ["TRAIN.ENABLE", "False", "BIAS.NUM_VIDEOS", "0"]
TWO = ["NUM_GPUS", "2", "BIAS.RANK_TIMEOUT", "8"]


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    said: str  # the last line of stderr
    lines: int  # of stderr
    seconds: float  # from the fault on


class Row(NamedTuple):
    """A line of the table."""

    fault: str
    times: int
    outcome: str
    lost: str
    good: bool


class Run:
    """A command in a process of its own, forked from here: no imports to wait for."""

    def __init__(self, out: Path, *words: str, env: dict[str, str] | None = None, limit: int = 0):
        self.out, self.err = out, Path(f"{out}.err")
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            self._work([*WORDS, *words, "OUTPUT_DIR", str(out)], env or {}, limit)

    def _work(self, words: list[str], env: dict[str, str], limit: int) -> None:
        os.environ.update(env)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(self.err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        status = 1
        try:
            status = cli.main(["run", *words])
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(status)

    def wait_for(self, text: str, seconds: float = 300) -> Run:
        """Returns when the log has `text`, or the run has ended."""
        log, deadline = Path(Outputs(str(self.out)).log), time.monotonic() + seconds
        while time.monotonic() < deadline and not os.waitid(
            os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            if log.exists() and text in log.read_text(errors="replace"):
                break
            time.sleep(0.02)
        return self

    def end(self, seconds: float = 300) -> Ended:
        """Returns how it ends; one that does not is killed, and has the status -9."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.02)
        took = time.monotonic() - start
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if not pid:
            _, status = os.waitpid(self.pid, 0)
        text = self.err.read_text(errors="replace").strip() if self.err.exists() else ""
        lines = text.splitlines()
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, lines[-1] if lines else "", len(lines), took)

    def below(self, name: str = "spawn_main") -> list[int]:
        """Returns the processes of this run's session, but itself, whose command has `name`."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError):
                session = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[3])
                command = entry.joinpath("cmdline").read_text()
                if session == self.pid and int(entry.name) != self.pid and name in command:
                    found.append(int(entry.name))
        return sorted(found)


def weights(out: Path) -> dict[str, torch.Tensor]:
    """Returns the last weights of a run."""
    path = Outputs(str(out)).list_checkpoints()[0]
    return torch.load(path, weights_only=True)["model_state"]


def same(out: Path, other: Path) -> bool:
    """Returns whether two runs ended with the same weights and the same report, bit for bit."""
    a, b = weights(out), weights(other)
    reports = [BiasReport.load(Outputs(str(x)).report()) for x in (out, other)]
    tables = [report.to_markdown().partition("\n\n")[0] for report in reports]
    return all(torch.equal(a[name], b[name]) for name in a) and tables[0] == tables[1]


def short(text: str) -> str:
    """Returns a line for the table."""
    text = re.sub(rf"{tempfile.gettempdir()}/\w+/", "", text.replace("|", "/"))
    return f"`{text[:150]}{' ...' if len(text) > 150 else ''}`"


def killed(folder: Path, rounds: int, whole: Path, seconds: float) -> Row:
    """SIGKILL of everything, at random moments of training and measuring."""
    dice, kills, good, runs, late = random.Random(0), 0, True, 0, 0
    while kills < rounds:
        out, runs = folder / f"killed{runs}", runs + 1
        for _ in range(100):
            run = Run(out)
            deadline = time.monotonic() + dice.uniform(0, 1.1 * seconds)
            while time.monotonic() < deadline and not os.waitid(
                os.P_PID, run.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
            ):
                time.sleep(0.01)
            done = os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if not done:
                kills += 1
                os.killpg(run.pid, signal.SIGKILL)
            ended = run.end()
            if done:
                good &= ended.status == 0
                break
            log = Path(Outputs(str(out)).stats)
            finished = log.read_text().count('"train_epoch"') if log.exists() else 0
            late = max(late, finished - len(Outputs(str(out)).list_checkpoints()))
        good &= same(out, whole) and not list(out.rglob("*.tmp"))
        shutil.rmtree(out)
    words = f"{runs} runs, each started again until it ended: weights and report as of an unbroken "
    return Row("SIGKILL of a run", kills, words + "one, bit for bit", "the epoch going on", good)


def each(
    fault: str, lost: str, status: int, rounds: int, work: Callable[[int], Ended], lines: int = 1
) -> Row:
    """Returns the row of a fault that should end with a status and one line, each time."""
    found = [work(k) for k in range(rounds)]
    good = all(x.status == status and x.lines <= lines for x in found)
    slowest = max(x.seconds for x in found)
    statuses = ", ".join(sorted({str(x.status) for x in found}))
    outcome = f"status {statuses} after at most {slowest:.1f} s: {short(found[-1].said)}"
    return Row(fault, rounds, outcome, lost, good)


def faults(folder: Path, kills: int, rounds: int) -> dict[str, Callable[[], Row]]:
    """Returns {name: what injects it}."""
    whole = folder / "whole"
    start = time.monotonic()
    assert Run(whole).end().status == 0
    seconds = time.monotonic() - start

    def signalled(number: int, k: int, words: Sequence[str], who: str = "") -> Ended:
        run = Run(folder / f"s{number}{who}{k}", *LONG, *words).wait_for("train_iter")
        pids = run.below(who) if who else [run.pid]
        time.sleep(random.Random(k).uniform(0, 1))
        os.kill(pids[-1], number)
        return run.end(120)

    def resumed(number: int, k: int) -> Ended:
        out = folder / f"r{number}{k}"
        run = Run(out).wait_for("train_iter")
        os.kill(run.pid, number)
        ended = run.end(120)
        assert Run(out).end().status == 0 and same(out, whole)
        return ended

    def worker(k: int) -> Ended:
        run = Run(folder / f"w{k}", *LONG, "DATA_LOADER.NUM_WORKERS", "2").wait_for("train_iter")
        while not (pids := run.below("")):
            time.sleep(0.01)
        os.kill(pids[-1], signal.SIGKILL)
        return run.end(120)

    def under_srun(k: int) -> Ended:
        env = {"SLURM_NTASKS": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        words = ["TRAIN.ENABLE", "False", "BIAS.TOY.NUM_VAL", "20000", "TEST.CHECKPOINT_FILE_PATH"]
        words += [Outputs(str(whole)).checkpoint(3)]
        pair = [
            Run(folder / f"srun{k}", *words, env={**env, "SLURM_PROCID": str(r)}) for r in (0, 1)
        ]
        pair[0].err = Path(f"{folder}/srun{k}.err")
        pair[0].wait_for("weights of")
        time.sleep(2)
        os.kill(pair[1].pid, signal.SIGKILL)
        ended = pair[0].end(120)
        pair[1].end(1)
        return ended

    def flipped(k: int) -> Ended:
        out = folder / f"flip{k}"
        shutil.copytree(whole, out)
        flip_one_bit(Outputs(str(out)).checkpoint(3), k)
        ended = Run(out).end()
        log = Path(Outputs(str(out)).log).read_text().splitlines()
        said = next((line for line in log if "Trying the one before it" in line), "")
        good = said and same(out, whole)
        return ended._replace(said=said.partition(": ")[2], status=ended.status if good else 1)

    def twice(k: int) -> Ended:
        first = Run(folder / f"two{k}", *LONG).wait_for("train_iter")
        second = Run(folder / f"two{k}", *LONG, "RNG_SEED", "7").end(60)
        os.kill(first.pid, signal.SIGKILL)
        first.end()
        return second

    def gone(k: int) -> Ended:
        run = Run(folder / f"gone{k}", *LONG).wait_for("train_iter")
        shutil.rmtree(run.out, ignore_errors=True)
        return run.end(120)

    def too_long(k: int) -> Ended:
        return Run(folder / f"full{k}", *LONG, limit=1_000_000).end(300)

    def unwritten(k: int) -> Ended:
        words = ["TEST.CHECKPOINT_FILE_PATH", Outputs(str(whole)).checkpoint(3)]
        return Run(folder / f"unwritten{k}", *MEASURE, *words, limit=20_000).end(300)

    def weights_of(write: Callable[[Path], None]) -> Callable[[int], Ended]:
        def work(k: int) -> Ended:
            path = folder / f"odd{k}.pyth"
            write(path)
            return Run(folder / f"odd{k}", *MEASURE, "TEST.CHECKPOINT_FILE_PATH", str(path)).end()

        return work

    def nan(k: int) -> Ended:
        words = ["SOLVER.BASE_LR", "1e30", "SOLVER.OPTIMIZING_METHOD", "sgd"]
        return Run(folder / f"nan{k}", *LONG, *words, "TRAIN.EVAL_PERIOD", "10").end()

    none, epoch = "nothing", "the epoch going on"
    return {
        "kill": lambda: killed(folder, kills, whole, seconds),
        "rank": lambda: each("SIGKILL of one rank of two", epoch, 2, rounds,
                             lambda k: signalled(signal.SIGKILL, k, TWO, "spawn_main")),
        "stop": lambda: each("SIGSTOP of one rank of two (BIAS.RANK_TIMEOUT 8)", epoch, 2, rounds,
                             lambda k: signalled(signal.SIGSTOP, k, TWO, "spawn_main")),
        "srun": lambda: each("SIGKILL of a rank under srun, while measuring",
                             "the measurement", 2, rounds, under_srun, 50),
        "worker": lambda: each("SIGKILL of a worker that decodes", epoch, 2, rounds, worker),
        "term": lambda: each("SIGTERM, and the same command again", none, 75, rounds,
                             lambda k: resumed(signal.SIGTERM, k)),
        "usr1": lambda: each("SIGUSR1, and the same command again", none, 75, rounds,
                             lambda k: resumed(signal.SIGUSR1, k)),
        "full": lambda: each("No space for a checkpoint", epoch, 2, rounds, too_long),
        "unwritten": lambda: each("No space for a report", none, 2, rounds, unwritten, 3),
        "flip": lambda: each("A flipped bit in the newest checkpoint, run again", "an epoch", 0,
                             rounds, flipped),
        "two": lambda: each("Two runs in one folder", none, 2, rounds, twice),
        "gone": lambda: each("OUTPUT_DIR deleted", "all of it", 2, rounds, gone),
        "nan": lambda: each("A loss that is not finite", epoch, 2, rounds, nan),
        "bomb": lambda: each("3 MB of weights that unpack to 3 GB", none, 2, 1, weights_of(bomb)),
        "hungry": lambda: each("A pickle of 9 bytes that asks for 3 GB", none, 2, 1,
                               weights_of(hungry_pickle)),
    }  # fmt: skip


def main() -> int:
    """Injects the faults and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--out", help="a page whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        known = faults(Path(folder), args.kills, args.rounds)
        rows = []
        for name in args.only or known:
            rows.append(known[name]())
            print(_line(rows[-1]), flush=True)
    if args.out:
        write_table(Path(args.out), rows)
    return 0 if all(row.good for row in rows) else 1


def write_table(page: Path, rows: Sequence[Row]) -> None:
    """Replaces the table of a page."""
    head = "| Fault | Times | Outcome | Lost work |\n|---|---|---|---|"
    before, _, rest = page.read_text().partition("<!-- table -->")
    after = rest.partition("<!-- end -->")[2]
    table = "\n".join([head, *map(_line, rows)])
    page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end -->{after}")


def _line(row: Row) -> str:
    wrong = "" if row.good else "**not as it should be** "
    return f"| {row.fault} | {row.times} | {wrong}{row.outcome} | {row.lost} |"


if __name__ == "__main__":
    sys.exit(main())
