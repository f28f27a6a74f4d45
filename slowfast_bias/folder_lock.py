"""Floor 0: one call at a time in a folder, and what dead processes have left there.

The folder holds `.lock` while a call works in it: host, process and SLURM job of the holder. The
system's own lock on it ends with its process, however that ends. Disks that lock for one machine
alone show the life of a holder elsewhere by the time of the file, which it renews.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import IO

from slowfast_bias.errors import OutputError

NAME = ".lock"
_RENEWED = 20.0  # seconds between signs of life
_DEAD = 90.0  # seconds without one
_TEMPORARY = re.compile(r"\.(\d+)\.tmp$")
_BELOW = ("checkpoints", "bias", "unfinished")  # folders of a run
# What folders are that this process holds; it does not lock itself out.
_held: dict[str, os.stat_result] = {}


@contextlib.contextmanager
def alone_in(out: str | os.PathLike[str]) -> Iterator[None]:
    """Creates a folder and keeps other calls out of it until the block or the process ends.

    OutputError, naming the other, if one is at work there. What is left of a dead one is taken
    over, and its half-written files are removed.
    """
    out = os.fspath(out)
    if "://" in out:  # a remote handler has no locks
        yield
        return
    try:
        os.makedirs(out, exist_ok=True)
        file = _acquired(out)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"Expected to write into {out}, but: {error}. Give another folder, or free some space."
        ) from error
    done, key = threading.Event(), os.path.realpath(out)
    _held[key] = os.stat(key)
    threading.Thread(target=_renew, args=(file.name, done), daemon=True).start()
    try:
        sweep_temporary(out)
        yield
    finally:
        done.set()
        _held.pop(key, None)
        with contextlib.suppress(OSError):
            os.remove(file.name)
        file.close()


def is_gone(path: str) -> bool:
    """Returns whether `path` is in a folder held here that was moved, deleted or replaced since."""
    real = os.path.realpath(path)
    for folder, then in list(_held.items()):
        if real.startswith(os.path.join(folder, "")):
            try:
                return not os.path.samestat(os.stat(folder), then)
            except OSError:
                return True
    return False


def sweep_temporary(folder: str) -> list[str]:
    """Removes half-written files of processes that are no more; returns their paths."""
    removed = []
    for place in (folder, *(os.path.join(folder, name) for name in _BELOW)):
        for name in os.listdir(place) if os.path.isdir(place) else ():
            match = _TEMPORARY.search(name)
            if match and not is_alive(int(match[1])):
                with contextlib.suppress(OSError):
                    os.remove(os.path.join(place, name))
                    removed.append(os.path.join(place, name))
    return removed


def is_alive(pid: int) -> bool:
    """Returns whether this machine has a process of that number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        pass
    return True


def _acquired(out: str) -> IO[str]:
    """Returns the open file of the lock; OutputError if another call has it."""
    path = os.path.join(out, NAME)
    while True:
        file = open(path, "a+")  # noqa: SIM115  closed, and unlocked, by `alone_in`
        try:
            file.seek(0)
            holder = file.read().split()
            if os.path.realpath(out) in _held or not _lock(file, holder):
                raise _refusal(out, holder)
            if os.path.exists(path) and os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                file.truncate(0)
                file.write(f"{socket.gethostname()} {os.getpid()} {_job()}\n")
                file.flush()
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its holder has just ended and removed it


def _lock(file: IO[str], holder: list[str]) -> bool:
    """Returns whether the lock is ours now."""
    elsewhere = len(holder) > 1 and holder[0] != socket.gethostname()
    try:
        import fcntl

        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except (ImportError, OSError):  # a system or a disk without locks
        if not elsewhere and len(holder) > 1:
            return not is_alive(int(holder[1])) or holder[1] == str(os.getpid())
    if not elsewhere or holder[2:] == [_job()] != ["-"]:  # a job that SLURM has started again
        return True
    return time.time() - os.fstat(file.fileno()).st_mtime > _DEAD


def _refusal(out: str, holder: list[str]) -> OutputError:
    host, pid = (*holder, "?", "?")[:2]
    return OutputError(
        f"Expected to be alone in {out}, but another call writes there: process {pid} on {host}. "
        f"Wait until it ends, or give another folder. (A call that was killed on another machine "
        f"holds it for {_DEAD:.0f} s more.)"
    )


def _job() -> str:
    return os.environ.get("SLURM_JOB_ID", "-")


def _renew(path: str, done: threading.Event) -> None:
    while not done.wait(_RENEWED):
        with contextlib.suppress(OSError):
            os.utime(path)
