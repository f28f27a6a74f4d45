"""Signs of life between the processes of a run: one that gives none ends the others, in words.

A process that was killed is noticed by the next collective, and that may be hours away; one that
was stopped, or whose machine is gone, is not noticed at all. So each adds to a counter of its own
in a store of torch's and watches that of the next. It costs three small messages every few seconds.
A process that lives and makes no step ends the run as well, and all show where they stand.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import logging
import multiprocessing
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from torch import distributed as dist

from slowfast_bias.engine.runtime import ranks, stalls
from slowfast_bias.errors import CrashError, PeerLostError

log = logging.getLogger(__name__)

_ENDING = 5.0  # seconds for a question to the store that is on its way
_GRACE = 5.0  # seconds in which a process may end by itself, with better words
_STATUS = 2
_LEFT = 1 << 40  # no counter comes so far by beats
_STALLED = "stalled"  # why a process is lost; "gone" otherwise
_current: Heartbeat | None = None  # of this process


class Limits(NamedTuple):
    """After how many seconds a process counts as lost; 0: never.

    Attributes:
        silent: without a sign of life.
        stalled: without a step, while it gives them.
    """

    silent: float
    stalled: float = 0.0


class Heartbeat:
    """The signs of life of this process, and its eye on the next one."""

    def __init__(
        self, store: dist.Store, limits: Limits, lost: Callable[[CrashError], None]
    ) -> None:
        self.store, self.limits, self.lost = store, limits, lost
        self.rank, self.world = ranks.rank(), ranks.world_size()
        self.every = min([5.0, *(limit / 8 for limit in limits if limit)])
        self.ended, self.answered = threading.Event(), time.monotonic()
        self.threads = [
            threading.Thread(target=work, daemon=True) for work in (self._beat, self._watch_store)
        ]

    def start(self) -> None:
        """Begins to give signs of life and to watch."""
        for thread in self.threads:
            thread.start()

    def leave(self) -> None:
        """Says that this process ends well; the first one, which has the store, leaves last."""
        deadline = time.monotonic() + 2 * _GRACE
        with contextlib.suppress(Exception):
            if self.rank:
                self.store.add(f"beat/{self.rank}", _LEFT)
                self.store.add("left", 1)
            while not self.rank and self.store.add("left", 0) < self.world - 1:
                if self.ended.wait(0.02) or time.monotonic() > deadline:
                    break
        self._end()

    def fail(self) -> None:
        """Says that this process ends badly."""
        with contextlib.suppress(Exception):
            self._name_lost(self.rank)
        self._end()

    def _end(self) -> None:
        """Ends the threads: one that asks the store while Python ends would abort the process."""
        self.ended.set()
        for thread in self.threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(_ENDING)

    def _name_lost(self, rank: int, why: str = "gone") -> None:
        self.store.set("who", f"{rank} {why}")
        self.store.add("lost", 1)

    def _beat(self) -> None:
        following = (self.rank + 1) % self.world
        last, seen = -1, time.monotonic()
        while not self.ended.is_set():
            try:
                self.store.add(f"beat/{self.rank}", 1)
                now = self.store.add(f"beat/{following}", 0)
                lost = self.store.add("lost", 0)
            except Exception:
                self._give_up(0)  # the store is in the first process
                return
            self.answered = time.monotonic()
            if now != last:
                last, seen = now, self.answered
            if not lost and now < _LEFT and self.answered - seen > self.limits.silent:
                self._name_lost(following)
                lost = 1
            if not lost and 0 < self.limits.stalled < stalls.seconds():
                self._name_lost(self.rank, _STALLED)
                lost = 1
            if lost:
                who, _, why = self.store.get("who").decode().partition(" ")
                self._give_up(int(who), why == _STALLED)
                return
            self.ended.wait(self.every)

    def _watch_store(self) -> None:
        """Ends the run if the store does not answer: its process is stopped, or its machine gone.

        A call to it may then wait for ever.
        """
        while not self.ended.wait(self.every):
            if time.monotonic() - self.answered > self.limits.silent:
                self._give_up(0)
                return

    def _give_up(self, rank: int, stalled: bool = False) -> None:
        if stalled:  # at once: what it waits for may end in the meantime
            stalls.show_stacks(self.rank)
        if self.ended.wait(_GRACE + (self.every if stalled else 0)):  # the store tells all of it
            return
        self.lost(self._stalled(rank) if stalled else self._silent(rank))
        for worker in multiprocessing.active_children():
            worker.kill()
        sys.stdout.flush()
        os._exit(_STATUS)

    def _silent(self, rank: int) -> CrashError:
        return PeerLostError(
            f"Expected all {self.world} processes to work, but rank {rank} gives no sign of "
            f"life: it was killed or stopped, or its machine is gone (BIAS.RANK_TIMEOUT "
            f"{self.limits.silent:g} s). The same command goes on from what was saved last."
        )

    def _stalled(self, rank: int) -> CrashError:
        return CrashError(
            f"Expected all {self.world} processes to get on, but rank {rank} made no step for "
            f"{self.limits.stalled:g} s (BIAS.STALL_TIMEOUT): it hangs, or one that it waits for. "
            "Where each of them stands is above; the same command goes on from what was saved last."
        )


def start(limits: Limits, init_method: str, lost: Callable[[CrashError], None]) -> Heartbeat | None:
    """Starts the signs of life of a group that has just been joined; every process must call it.

    Args:
        limits: after which a process counts as lost; if `silent` is 0, no signs are given.
        init_method: where the group met.
        lost: is told of the lost one before this process ends.
    """
    if not limits.silent or ranks.world_size() == 1:
        return None
    host, wait = _host(init_method), datetime.timedelta(seconds=max(30.0, limits.silent))
    options = {"world_size": None, "wait_for_workers": False, "timeout": wait}
    store = dist.TCPStore(host, 0, is_master=True, **options) if ranks.is_master() else None
    port = ranks.gather_objects(store and store.port)[0]
    try:
        store = store or dist.TCPStore(host, port, is_master=False, **options)
    except Exception as error:
        log.error("no signs of life can be given to rank 0 (%s:%s): %s", host, port, error)
    if not all(ranks.gather_objects(store is not None)):
        return None
    stalls.step()
    heartbeat = Heartbeat(store, limits, lost)
    heartbeat.start()
    return heartbeat


def keep(heartbeat: Heartbeat | None) -> None:
    """Makes this the one that `leave` and `fail` are about; it leaves when the process ends."""
    global _current
    _current = heartbeat
    if heartbeat is not None:
        atexit.register(leave)


def leave() -> None:
    """Says that this process ends well."""
    global _current
    if _current is not None:
        _current.leave()
    _current = None


def fail() -> None:
    """Says that this process ends badly, so that the others do not wait for it."""
    global _current
    if _current is not None:
        _current.fail()
    _current = None


def say_on_stderr(error: CrashError) -> None:
    """Prints an error as a command does, from a process that no command waits for."""
    print(f"error: {error}", file=sys.stderr, flush=True)


def _host(init_method: str) -> str:
    match = re.match(r"tcp://\[?([^\]]+?)\]?:\d+", init_method)
    return match[1] if match else os.environ.get("MASTER_ADDR", "127.0.0.1")
