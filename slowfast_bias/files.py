"""Floor 0: files that are either whole or not there.

Every user path goes through iopath, so remote handlers work. A local file is written under a
temporary name and renamed; a remote handler commits on close.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import OutputError

# How to read and write text that holds names of files, which may be any bytes.
TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


@contextlib.contextmanager
def write_whole(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO]:
    """Opens `path` for writing; it appears, or is replaced, only when the block ends well.

    Missing folders are created.
    """
    path = os.fspath(path)
    if "://" in path:
        with g_pathmgr.open(path, mode) as file:
            yield file
        return
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, mode, **({} if "b" in mode else TEXT)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def cannot_write(path: str, error: OSError) -> OutputError:
    """Returns the error to raise if the disk is full or may not be written to."""
    return OutputError(
        f"Expected to write {path}, but: {error}. Free some space, or give another folder. "
        "Finished work stays there; the same command goes on from there."
    )


def make_output_dir(path: str) -> str:
    """Creates the folder of a run and proves that it can be written to; returns the path."""
    try:
        g_pathmgr.mkdirs(path)
        with write_whole(f"{path}/.writable"):
            pass
        g_pathmgr.rm(f"{path}/.writable")
    except OSError as error:
        raise OutputError(
            f"Expected OUTPUT_DIR {path!r} to be a folder that can be written to, but: {error}. "
            "Give another one: OUTPUT_DIR /path/to/results."
        ) from error
    return path


@contextlib.contextmanager
def alone_in(out: str) -> Iterator[None]:
    """Creates a folder and keeps other calls out of it until the block or the process ends."""
    try:
        os.makedirs(out, exist_ok=True)
        file = open(f"{out}/.lock", "w")  # noqa: SIM115  closed, and unlocked, below
    except OSError as error:
        raise OutputError(
            f"Expected to write into {out}, but: {error}. Give another folder, or free some space."
        ) from error
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"Expected to be alone in {out}, but another call writes there. Wait until it "
                "ends, or give another folder."
            ) from error
        except (ImportError, OSError):  # a system or a disk without locks
            pass
        yield
