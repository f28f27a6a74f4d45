"""Two living processes of one group, for the laws that need two ranks and no launch.

They are started once a session and asked many times.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing import current_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing  # noqa: F401  tensors may be sent
from matplotlib.figure import Figure

from slowfast_bias.cluster_rank import ClusterRank
from slowfast_bias.engine.runtime import ranks
from support import warm
from support.drafts import save_draft

WORLD = 2
PATIENCE = 250  # seconds, below pytest's limit, so that the group is ended by us
AFTER_AN_ERROR = 30  # seconds
SERVE = "import sys; from support.two_ranks import serve; serve(int(sys.argv[1]), *sys.argv[2:])"


class NoAnswerError(Exception):
    """A rank has died, or hangs."""


class TwoRanks:
    """Runs functions on both ranks of a group of two."""

    def __init__(self) -> None:
        self._ends: list[tuple[warm.WarmProcess, Connection]] = []

    def run(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Returns what `function(*args)` returned on each rank, or raises what one of them raised.

        Unless both raised something the group is ended: one may still wait for the other.
        """
        if any(process.poll() is not None for process, _ in self._ends):
            self.end()
        if not self._ends:
            self._start()
        for _, pipe in self._ends:
            pipe.send((function, args))
        answers: list[Any] = []
        for _, pipe in self._ends:
            failed = any(isinstance(answer, BaseException) for answer in answers)
            answers.append(_answer(pipe, AFTER_AN_ERROR if failed else PATIENCE))
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        if len(errors) == 1 or any(isinstance(error, NoAnswerError) for error in errors):
            self.end()
        if errors:
            raise errors[0]
        return [answer for (answer,) in answers]

    def _start(self) -> None:
        meeting = f"file://{Path(tempfile.mkdtemp()) / 'meeting'}"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for rank in range(WORLD):
            ours, theirs = socket.socketpair()
            words = ["-c", SERVE, rank, meeting, current_process().authkey.hex()]
            process = warm.start(words, env=env, stdin=theirs.fileno())
            theirs.close()
            self._ends.append((process, Connection(ours.detach())))

    def end(self) -> None:
        """Ends both processes."""
        for process, pipe in self._ends:
            pipe.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
        self._ends = []


def serve(rank: int, meeting: str, key: str) -> None:
    """Answers, in one of the processes, what comes through its standard input."""
    current_process().authkey = bytes.fromhex(key)  # tensors travel by it
    pipe = Connection(os.dup(0))
    torch.set_num_threads(1)
    Figure.savefig = save_draft
    ranks.join(ClusterRank(rank, WORLD, rank, meeting, WORLD), WORLD, cuda=False)
    while True:
        try:
            function, args = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((function(*args),))
        except Exception as error:
            pipe.send(_as_sent(error))
        close_logs()


def _answer(pipe: Connection, patience: float) -> Any:
    try:
        return pipe.recv() if pipe.poll(patience) else NoAnswerError("a rank hangs")
    except EOFError:
        return NoAnswerError("a rank has died")


def close_logs() -> None:
    """Takes back what a run did to the package's log, so that the next one finds it as it was."""
    package = logging.getLogger("slowfast_bias")
    for handler in list(package.handlers):
        package.removeHandler(handler)
        handler.close()
    package.propagate = True
    package.setLevel(logging.NOTSET)


def _as_sent(error: Exception) -> Exception:
    """Returns an error with its traceback as a note, or its text if it cannot be pickled."""
    if hasattr(error, "add_note"):  # from Python 3.11 on
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(traceback.format_exc())
    return error
