"""Floor 0: Ctrl-C with several processes: all of them exit promptly and print nothing.

A process must not be interrupted during its imports, and not a second time while it cleans up: its
half-written file would stay. So the signal is blocked until the process is ready for it, and is
accepted once.

Python ignores what is raised in a destructor, as that of a data loader that waits for its workers:
a Ctrl-C that comes then is lost. It is remembered, and `raise_lost` raises it at the next step;
what Python would print of it is not printed.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker, util
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

STATUS = 130  # as in a shell: 128 + SIGINT
_GRACE = 20.0  # seconds in which a process removes its half-written files

_came = False


@contextlib.contextmanager
def sigint_blocked() -> Iterator[None]:
    """Blocks Ctrl-C in this process, and in processes started in the block from their start on."""
    resource_tracker.ensure_running()  # the first process would start it, and unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def accepting() -> Iterator[None]:
    """Remembers a Ctrl-C in a block; one that is ignored, as in the background, stays ignored."""
    global _came
    main = threading.current_thread() is threading.main_thread()
    ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _answer)
    hook = sys.unraisablehook
    sys.unraisablehook = functools.partial(_say_others, hook)
    try:
        yield
    finally:
        _came = False
        sys.unraisablehook = hook
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def raise_lost() -> None:
    """Raises KeyboardInterrupt if one has come: it was lost if work still goes on."""
    if _came:
        raise KeyboardInterrupt


def behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """Returns the Ctrl-C that an error came of: what is interrupted may raise one of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _say_others(hook: Callable[[Any], object], ignored: Any) -> None:
    # what was interrupted half-way, as a loader that starts its workers, ends with errors, too
    if not (_came or issubclass(ignored.exc_type, KeyboardInterrupt)):
        hook(ignored)


def _answer(*_: object) -> NoReturn:
    global _came
    _came = True
    raise KeyboardInterrupt


def accept_one_sigint() -> None:
    """Lets one KeyboardInterrupt through from here on, in a process begun in `sigint_blocked`."""
    signal.signal(signal.SIGINT, _once)
    sys.unraisablehook = functools.partial(_say_others, sys.unraisablehook)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _once(*_: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _answer()


def ignore_broken_pipes(_: object = None) -> None:
    """Suppresses a data loader worker's traceback if the process that reads from it has ended.

    The thread that sends tensors prints one if that process is interrupted during a transfer.
    """
    print_traceback = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not issubclass(kind, (ConnectionError, EOFError)):
            print_traceback(kind, error, trace)

    sys.excepthook = hook


def exit_quietly(status: int = STATUS) -> NoReturn:
    """Ends this process and its workers now and prints nothing; the other processes end as well."""
    for worker in multiprocessing.active_children():
        worker.kill()
    util._exit_function()  # as `Process` itself ends: frees semaphores, else Python warns of leaks
    os._exit(status)


def terminate(children: Sequence[BaseProcess]) -> None:
    """Interrupts processes that accept it and waits for them; kills those that take too long."""
    try:
        for child in children:
            if child.pid and child.is_alive():
                os.kill(child.pid, signal.SIGINT)
        deadline = time.monotonic() + _GRACE
        for child in children:
            child.join(max(0.0, deadline - time.monotonic()))
    finally:  # also after a second Ctrl-C
        for child in children:
            child.kill()
            child.join()
