"""Floor 0: Ctrl-C with several processes: all of them end, at once and without a word.

A process that starts must not be interrupted among its imports, nor one that unwinds for a second
time: its half-written file would stay. So the signal is held back until there is somebody to mind
it, and heard once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker, util
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

STATUS = 130  # as a shell has it: 128 + SIGINT
_GRACE = 20.0  # seconds in which a process puts away what it is writing


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Processes that are started here begin with Ctrl-C held back; so is ours, meanwhile."""
    resource_tracker.ensure_running()  # starting it, as the first process would, lets all through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def mind() -> None:
    """In a process started under `held_back`: from here on one KeyboardInterrupt may come."""
    signal.signal(signal.SIGINT, _once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _once(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def ignore_broken_pipes(_: object = None) -> None:
    """In a data loader's worker: prints no traceback if the process that reads from it has ended.

    The thread that hands tensors over would, when that process is interrupted amid one.
    """
    print_traceback = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not issubclass(kind, (ConnectionError, EOFError)):
            print_traceback(kind, error, trace)

    sys.excepthook = hook


def leave() -> NoReturn:
    """Ends this process and its workers now: no farewell to others, who are leaving as well."""
    for worker in multiprocessing.active_children():
        worker.kill()
    util._exit_function()  # as `Process` itself ends: gives semaphores back, or Python complains
    os._exit(STATUS)


def stop(children: Sequence[BaseProcess]) -> None:
    """Interrupts processes that `mind` it and waits for them; kills those that take too long."""
    try:
        for child in children:
            if child.pid and child.is_alive():
                os.kill(child.pid, signal.SIGINT)
        deadline = time.monotonic() + _GRACE
        for child in children:
            child.join(max(0.0, deadline - time.monotonic()))
    finally:  # also of a second Ctrl-C
        for child in children:
            child.kill()
            child.join()
