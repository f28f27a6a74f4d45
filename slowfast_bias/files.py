"""Floor 0: files that are either whole or not there.

Every user path goes through iopath, so remote handlers work. A local file is written under a
temporary name and renamed; a remote handler commits on close.
"""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from typing import IO

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import OutputError, UserError
from slowfast_bias.folder_lock import alone_in as alone_in
from slowfast_bias.folder_lock import is_gone

# What a disk says that is full, over its quota, broken, read-only or gone.
_DISK = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ESTALE")
    if hasattr(errno, name)
}
# How to read and write text that holds names of files, which may be any bytes.
TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


@contextlib.contextmanager
def write_whole(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO]:
    """Opens `path` for writing; it appears, or is replaced, only when the block ends well.

    Missing folders are created. OutputError if the disk is full, or fails in another way.
    """
    path = os.fspath(path)
    if "://" in path:
        with g_pathmgr.open(path, mode) as file:
            yield file
        return
    if is_gone(path):  # to make it again would hide that all before is lost
        raise _folder_is_gone(path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, mode, **({} if "b" in mode else TEXT)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        if isinstance(error, FileNotFoundError) and error.filename == temporary:
            raise _folder_is_gone(path) from error
        refused = disk_error(error)
        if refused is not None:
            raise cannot_write(path, refused) from error
        raise


def append(path: str, text: str) -> None:
    """Adds text to a file of a folder that is there; OutputError if that cannot be."""
    if "://" not in path and is_gone(path):
        raise _folder_is_gone(path)
    try:
        with g_pathmgr.open(path, "a", **({} if "://" in path else TEXT)) as file:
            file.write(text)
    except OSError as error:
        if not g_pathmgr.isdir(os.path.dirname(path)):
            raise _folder_is_gone(path) from error
        raise cannot_write(path, error) from error


def _folder_is_gone(path: str) -> OutputError:
    return OutputError(
        f"Expected to write {path}, but its folder is gone: it was moved or deleted while the run "
        "wrote there. Put it back, and the same command goes on; or begin again."
    )


def disk_error(error: BaseException | None) -> OSError | None:
    """Returns what a disk said, if that is behind an error; torch hides it behind one of its own.

    Our own errors are not looked into: they say it already.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen and not isinstance(error, UserError):
        if isinstance(error, OSError) and error.errno in _DISK:
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def cannot_write(path: str, error: OSError) -> OutputError:
    """Returns the error to raise if the disk is full or may not be written to."""
    if isinstance(error, OutputError):  # it says so already
        return error
    return OutputError(
        f"Expected to write {path}, but: {error}. Free some space, or give another folder. "
        "Finished work stays there; the same command goes on from there."
    )


def try_folder(path: str) -> None:
    """Creates a folder and writes into it, as other processes may do at this moment; OSError."""
    g_pathmgr.mkdirs(path)
    trial = f"{path}/.writable-{uuid.uuid4().hex}"
    with write_whole(trial):
        pass
    g_pathmgr.rm(trial)


def make_output_dir(path: str) -> str:
    """Creates the folder of a run and proves that it can be written to; returns the path."""
    try:
        try_folder(path)
    except OSError as error:
        raise OutputError(
            f"Expected OUTPUT_DIR {path!r} to be a folder that can be written to, but: {error}. "
            "Give another one: OUTPUT_DIR /path/to/results."
        ) from error
    return path
