"""When this process last got on, and where it stands if it does not.

A step is an item of a loop that `log.progress` counts, or a collective that all have come through.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from typing import TextIO

_last = time.monotonic()


def step() -> None:
    """Notes that this process has got on."""
    global _last
    _last = time.monotonic()


def seconds() -> float:
    """Returns how long ago that was."""
    return time.monotonic() - _last


def show_stacks(rank: int, file: TextIO | None = None) -> None:
    """Prints where all threads of this process stand, on stderr or into a file.

    Works while they hang in code that is not Python's.
    """
    file = file or sys.stderr
    print(f"rank {rank} (process {os.getpid()}): {seconds():.0f} s since a step", file=file)
    file.flush()
    faulthandler.dump_traceback(file, all_threads=True)
