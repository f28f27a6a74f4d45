"""Work on many files at a time, in processes; if one dies, the others are not affected.

    for path, result in in_parallel(work, paths, processes=8):
        print(path, result)

Results come in the order in which they finish.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import cv2
import torch

from slowfast_bias import interrupts

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], processes: int
) -> Iterator[tuple[Item, Result | None]]:
    """Yields (item, `work(item)`) as they finish; None for an item that killed its process.

    KeyboardInterrupt, or closing the generator, ends the processes at once; they print nothing.
    """
    if processes < 2:
        yield from ((item, work(item)) for item in items)
        return
    # FFmpeg's locks do not survive a fork of this process, and importing torch takes seconds
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        from multiprocessing import forkserver

        context.set_forkserver_preload([getattr(work, "func", work).__module__])
        with interrupts.sigint_blocked():  # its imports take seconds
            forkserver.ensure_running()
    items, running = iter(items), {}
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, context, _begin)
    try:
        while True:
            while len(running) < 2 * processes and (item := next(items, None)) is not None:
                with interrupts.sigint_blocked():  # it may start a process
                    running[pool.submit(work, item)] = item
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                suspects = dict(running)
                running.clear()
                pool.shutdown(cancel_futures=True)
                pool = ProcessPoolExecutor(processes, context, _begin)
                yield from _one_by_one(work, suspects, context)
                continue
            for future in done:
                yield running.pop(future), future.result()
    except (KeyboardInterrupt, GeneratorExit):  # here, or in the code that uses the results
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _one_by_one(
    work: Callable[[Item], Result], suspects: dict[Future, Item], context: object
) -> Iterator[tuple[Item, Result | None]]:
    """Yields results after a process died and lost those of others: one process per item."""
    for future, item in suspects.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            yield item, future.result()
            continue
        with ProcessPoolExecutor(1, context, _begin) as alone:
            try:
                with interrupts.sigint_blocked():
                    future = alone.submit(work, item)
                result = future.result()
            except BrokenProcessPool:
                result = None
        yield item, result


def _begin() -> None:
    """Sets up a worker process: one thread, and it ends when the process that started it ends."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    parent = multiprocessing.parent_process()
    # a killed parent cannot stop us, and we would write at the same time as the next call
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
