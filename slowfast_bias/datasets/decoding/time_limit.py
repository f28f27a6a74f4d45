"""A limit on the time that one video may take: a decoder or a disk may never come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from slowfast_bias.datasets.decoding.timeline import Picks, Timeline, VideoError

T = TypeVar("T")


def within(seconds: float, path: str, read: Callable[[Picks], T], picks: Picks) -> T:
    """Returns `read(picks)`; VideoError if it takes longer.

    What is stuck cannot be ended from outside. It stays behind in a thread of its own, which draws
    no random number any more, and ends with the process.

    Args:
        seconds: the limit; 0: none, and no thread.
        path: names the video.
        read: decodes it.
        picks: the frames, or what chooses them.
    """
    if not seconds:
        return read(picks)
    late, outcome = threading.Event(), []

    def chosen(timeline: Timeline) -> Any:
        if late.is_set():
            raise VideoError(f"Expected {path} to be read in time.")
        return picks(timeline) if callable(picks) else picks

    def work() -> None:
        try:
            outcome.append((read(chosen), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        late.set()
        raise VideoError(
            f"Expected {path} to be read within {seconds:g} s (BIAS.DATA.TIMEOUT), but its decoder "
            "has not come back."
        )
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
