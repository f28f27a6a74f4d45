"""The processes of a run: waited for, and ended together if one of them ends badly."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess

from slowfast_bias import preemption

_OWN_WORDS = 2.0  # seconds in which the others say what they have to say
_GRACE = 5.0  # seconds in which they remove half-written files
_BOUNDARY = 60.0  # seconds between the first and the last that stops at a boundary

Lost = list[tuple[int, int, int]]  # (number, process id, signal) each


def wait_for(children: Sequence[BaseProcess]) -> Lost:
    """Returns when all have ended; if one ended badly, the others are ended too.

    Returns those that a signal ended which was not sent from here. A signal that wants the machine
    back is passed on.
    """
    passed_on = False
    while True:
        running = [child for child in children if child.exitcode is None]
        connection.wait([child.sentinel for child in running], timeout=0.5)
        if preemption.asked() and not passed_on:
            passed_on = True
            _send(running, signal.SIGTERM)
        codes = [child.exitcode for child in children]
        if any(code not in (None, 0) for code in codes):
            break
        if None not in codes:
            return []
    _join(children, _BOUNDARY if preemption.STATUS in codes else _OWN_WORDS)
    lost = [
        (k, child.pid or 0, -child.exitcode)
        for k, child in enumerate(children)
        if (child.exitcode or 0) < 0
    ]
    _send(children, signal.SIGINT)
    _join(children, _GRACE)
    for child in children:  # one that was stopped does not answer anything else
        child.kill()
        child.join()
    return lost


def _send(children: Sequence[BaseProcess], number: int) -> None:
    for child in children:
        if child.pid and child.is_alive():
            os.kill(child.pid, number)


def _join(children: Sequence[BaseProcess], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
