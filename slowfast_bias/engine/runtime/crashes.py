"""What a machine does to a run, in words: memory, disks, workers and processes that are gone.

torch reports them as errors of many kinds, with a trace of its own code; here each becomes one line
that says what happened and what helps. What is none of these stays as it is: a bug.
"""

from __future__ import annotations

import contextlib
import re
import signal
import traceback
from collections.abc import Iterator, Sequence

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.errors import CrashError, PeerLostError, UserError
from slowfast_bias.files import cannot_write, disk_error

_WORKER = re.compile(r"DataLoader worker \(pid\(?s?\)? ([\d, ]+)\) (.*)", re.DOTALL)
_PEER = re.compile(
    r"gloo.*(connection|timed out|socket|peer)|connection (closed by|reset by) peer|"
    r"NCCL.*(remote|unhandled system)|broken pipe",
    re.IGNORECASE | re.DOTALL,
)
_MEMORY = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)
_AGAIN = "The same command goes on from what was saved last."


@contextlib.contextmanager
def in_words(cfg: CfgNode) -> Iterator[None]:
    """Turns what a machine did to the block into errors of one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        said = words_for(cfg, error)
        if said is None:
            raise
        raise said from error


def words_for(cfg: CfgNode, error: Exception) -> UserError | None:
    """Returns the error in words; None if it is none of the machine's."""
    refused, text = disk_error(error), str(error)
    if refused is not None:
        return cannot_write(str(refused.filename or cfg.OUTPUT_DIR), refused)
    cause = str(error.__cause__ or "")  # torch says by what there, and not always
    if worker := _WORKER.search(cause) or _WORKER.search(text):
        return _worker_lost(*worker.groups())
    if isinstance(error, (EOFError, ConnectionError)) and _was_reading_batches(error):
        return _worker_lost("", "ended while it was sending a clip")
    if is_out_of_memory(error):
        return CrashError(
            f"Expected enough memory, but there is none left: {text.splitlines()[0][:200]}. Lower "
            "TRAIN.BATCH_SIZE, TEST.BATCH_SIZE (BIAS.BATCH_SIZE for a measurement), or "
            f"DATA_LOADER.NUM_WORKERS. {_AGAIN}"
        )
    if isinstance(error, RuntimeError) and _PEER.search(text):
        return PeerLostError(
            "Expected all processes to work to the end, but the connection to another one was "
            f"lost: it has ended, or cannot be reached. See what it says itself. {_AGAIN}"
        )
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error says that memory, of the machine or a GPU, is used up."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and bool(_MEMORY.search(str(error)))


def ranks_lost(lost: Sequence[tuple[int, int, int]]) -> CrashError:
    """Returns the error about processes that a signal ended: (rank, process id, signal) each."""
    names = ", ".join(f"rank {rank} (process {pid}) by {_name(n)}" for rank, pid, n in lost)
    killed = any(number == signal.SIGKILL for _, _, number in lost)
    return CrashError(
        f"Expected all processes to work to the end, but one was killed: {names}. "
        f"{_memory_hint() if killed else ''}{_AGAIN}"
    )


def _was_reading_batches(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename.endswith("torch/utils/data/dataloader.py") for frame in frames)


def _worker_lost(pids: str, what: str) -> CrashError:
    what = what.strip().rstrip(".").partition(". ")[0].partition("\n")[0]
    shared = "us error" in what or "shared memory" in what
    hint = (
        "The shared memory of the machine (/dev/shm) is full: make it larger, or lower "
        "DATA_LOADER.NUM_WORKERS or the batch. "
        if shared
        else _memory_hint()
    )
    return CrashError(
        f"Expected the workers that decode videos to live, but one{pids and f' ({pids})'} {what}. "
        f"{hint}{_AGAIN}"
    )


def _memory_hint() -> str:
    return (
        "Most often the machine's memory was used up (see `dmesg`): lower DATA_LOADER.NUM_WORKERS "
        "or the batch, or ask for more memory. "
    )


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
