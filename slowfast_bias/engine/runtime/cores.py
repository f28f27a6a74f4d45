"""How many threads a process computes with: its part of the cores of its machine.

Several processes share them. More threads than cores wait for each other in loops, a slice of time
each: two ranks of two threads on two busy cores took 146 and 219 s for what takes 5 to 9 s with one
thread each, and looked as if they would never end.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import torch

from slowfast_bias.engine.runtime import ranks

log = logging.getLogger(__name__)

_GIVEN = "OMP_NUM_THREADS"
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # host names may be the same on several machines


class Cores(NamedTuple):
    """Where a process may compute.

    Attributes:
        machine: which one it is.
        numbers: of the cores that it may use; a scheduler may have bound it to some.
    """

    machine: str
    numbers: frozenset[int]


def share_cores() -> int:
    """Gives each process of a group its part of the cores; every process must call it.

    Returns the threads that this one has: with OMP_NUM_THREADS as many as that says, if its part is
    not smaller.
    """
    part = part_of(ranks.rank(), ranks.gather_objects(cores_here()))
    threads = min(part, torch.get_num_threads()) if _GIVEN in os.environ else part
    if threads < torch.get_num_threads() and _GIVEN in os.environ and ranks.is_master():
        log.warning(
            "%s %s: the cores of this machine, shared by its processes, are enough for %d each; "
            "more would wait for each other", _GIVEN, os.environ[_GIVEN], threads,
        )  # fmt: skip
    torch.set_num_threads(threads)
    return threads


def part_of(rank: int, cores: Sequence[Cores]) -> int:
    """Returns how many whole cores fall to a process if each core is shared out evenly; at least 1.

    Args:
        rank: of the process.
        cores: of all processes.
    """
    machine, mine = cores[rank]
    beside = [other.numbers for other in cores if other.machine == machine]
    shares = (Fraction(1, sum(core in numbers for numbers in beside)) for core in mine)
    return max(1, int(sum(shares, Fraction())))


def cores_here() -> Cores:
    """Returns the cores of this process."""
    machine = _BOOT.read_text().strip() if _BOOT.exists() else socket.gethostname()
    if hasattr(os, "sched_getaffinity"):
        return Cores(machine, frozenset(os.sched_getaffinity(0)))
    return Cores(machine, frozenset(range(os.cpu_count() or 1)))  # macOS
