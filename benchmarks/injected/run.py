"""A run of the command line in a process of its own, to do something to."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

from slowfast_bias import cli
from slowfast_bias import engine as engine  # before a fork: its imports take seconds
from slowfast_bias.outputs import Outputs

ROOT = Path(__file__).resolve().parent.parent.parent
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
    said: str  # the last line of stderr that names an error, or the last one
    lines: int  # of stderr
    seconds: float  # from the fault on


class Run:
    """A command in a process of its own, forked from here: no imports to wait for."""

    def __init__(
        self, out: Path, arguments: list[str], env: dict[str, str] | None = None, limit: int = 0
    ) -> None:
        """Starts it.

        Args:
            out: its folder.
            arguments: of `slowfast_bias`.
            env: added to the environment.
            limit: bytes that a file of it may have; 0: any.
        """
        self.out, self.err = out, Path(f"{out}.err")
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            self._work(arguments, env or {}, limit)

    @classmethod
    def of(cls, out: Path, *words: str, env: dict[str, str] | None = None, limit: int = 0) -> Run:
        """Starts `slowfast_bias run` with the config of all faults, changed by `words`."""
        return cls(out, ["run", *WORDS, *words, "OUTPUT_DIR", str(out)], env, limit)

    def _work(self, arguments: list[str], env: dict[str, str], limit: int) -> None:
        os.environ.update(env)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(self.err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        status = 1
        try:
            status = cli.main(arguments)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(status)

    def wait_for(self, text: str, seconds: float = 300) -> Run:
        """Returns when the log has `text`, or the run has ended."""
        log, deadline = Path(Outputs(str(self.out)).log), time.monotonic() + seconds
        while time.monotonic() < deadline and not self.has_ended():
            if log.exists() and text in log.read_text(errors="replace"):
                break
            time.sleep(0.02)
        return self

    def has_ended(self) -> bool:
        """Returns whether it has."""
        return bool(os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def kill(self) -> None:
        """Kills all its processes at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no session of its own yet, and no processes
            os.kill(self.pid, signal.SIGKILL)

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
        said = [line for line in lines if line.startswith("error: ")] or lines or [""]
        return Ended(code, said[-1], len(lines), took)

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


def parent_of(pid: int) -> int:
    """Returns the process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
