"""Floor 0: SIGTERM and SIGUSR1: the machine is wanted back, as SLURM says before it takes it.

Work with nothing to save ends at once. Inside `at_boundaries` it goes on to where it can be taken
up again, asks `asked()` there, and ends. Either way the status is one that says: start it again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

STATUS = 75  # sysexits.h: a temporary failure, try again
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)

_asked: signal.Signals | None = None
_patient = 0


class Preempted(KeyboardInterrupt):  # noqa: N818  no error: it passes what handles errors
    """The machine is wanted back; ends a run as Ctrl-C does, with another status."""


def accept() -> None:
    """Answers the signals in this process from here on."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, _answer)


def asked() -> bool:
    """Returns whether a signal has come."""
    return _asked is not None


@contextlib.contextmanager
def accepting() -> Iterator[None]:
    """Answers the signals in a block; then all is as before."""
    global _asked
    before = {number: signal.getsignal(number) for number in SIGNALS}
    accept()
    try:
        yield
    finally:
        _asked = None
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def at_boundaries() -> Iterator[None]:
    """Lets a block go on after a signal; Preempted if one has come when it ends."""
    with asked_later():
        yield
    if asked():
        raise Preempted


@contextlib.contextmanager
def asked_later() -> Iterator[None]:
    """Lets a block go on after a signal: it looks at `asked()` itself."""
    global _patient
    _patient += 1
    try:
        yield
    finally:
        _patient -= 1


def _answer(number: int, _: object) -> None:
    global _asked
    first, _asked = _asked is None, signal.Signals(number)
    if first and not _patient:  # a scheduler and a parent may both send one
        raise Preempted


def raise_lost() -> None:
    """Raises Preempted if a signal has come that ends work at once, and that work still goes on.

    Python ignores what is raised in a destructor.
    """
    if asked() and not _patient:
        raise Preempted


def leave_to_parent() -> None:
    """Lets a data loader's worker pass over signals that a scheduler sends to every process.

    Its parent decides when it ends, by SIGTERM too, which is told apart by its sender.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if not hasattr(signal, "sigwaitinfo"):  # macOS
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
