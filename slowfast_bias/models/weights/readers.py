"""Files of weights: checked against their own checksums and sizes, then read by what they hold.

Nothing that they hold is executed.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.archive_checks import check_file
from slowfast_bias.models.weights import sniff
from slowfast_bias.models.weights.containers import find_weights, not_finite
from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.npz import read_npz
from slowfast_bias.models.weights.safetensors_files import (
    read_folder,
    read_index,
    read_safetensors,
)
from slowfast_bias.models.weights.torch_files import read_pickle, read_torch
from slowfast_bias.models.weights.two_files import find_half, join_halves

__all__ = ["CheckpointError", "finished_epochs", "not_finite", "read_checkpoint"]


def read_checkpoint(path: str) -> dict[str, Any]:
    """Returns the content of a checkpoint; nothing that it holds besides tensors is executed.

    What kind of file it is follows from its content. Files of torch and pickles of Caffe2, in
    whatever form they were saved, have their weights under `model_state` in what is returned; a
    folder of safetensors is read as one file, and so are the two halves of a MATNet.
    """
    path = find_half(path)
    return join_halves(_read_file(path), path, _read_file)


def _read_file(path: str) -> dict[str, Any]:
    if not g_pathmgr.exists(path):
        raise CheckpointError(f"Expected a checkpoint at {path}, but there is no such file.")
    check_file(path, CheckpointError)
    try:
        content = _read(path)
    except CheckpointError:
        raise
    except PermissionError as error:
        raise CheckpointError(
            f"Expected a checkpoint that can be read at {error.filename or path}, but this user "
            "may not read it (permission denied). Ask its owner, or `chmod u+r` it."
        ) from error
    except Exception as error:  # torch reports a cut file as RuntimeError, EOFError, ValueError...
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        # what the system says; but a damaged file makes its readers go to places that none has
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise CheckpointError(
                f"Expected to read the checkpoint {path}, but the file system refuses: "
                f"{reason[:200]}. Check the disk or the network that it lies on."
            ) from error
        raise sniff.half(path, f"it cannot be read ({reason[:200]})") from error
    return find_weights(content, path)


def _read(path: str) -> Any:
    if g_pathmgr.isdir(path):
        return read_folder(path)
    with g_pathmgr.open(path, "rb") as file:
        kind = sniff.kind_of(file, path)
        if kind == sniff.INDEX:
            return read_index(path)
        if kind == sniff.SAFETENSORS:
            return read_safetensors(file, path)
        if kind == sniff.NPZ:
            return read_npz(file, path)
        return read_pickle(file) if kind == sniff.PICKLE else read_torch(file, kind)


def finished_epochs(state: Mapping[str, Any], path: str) -> int:
    """Returns after how many epochs a checkpoint was written; CheckpointError if it does not say.

    Its `epoch` counts from 0.
    """
    epoch = state.get("epoch")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < -1:
        raise CheckpointError(
            f"Expected the number of an `epoch` in {path}, but got {epoch!r}. Start afresh from "
            "its weights: TRAIN.CHECKPOINT_EPOCH_RESET True."
        )
    return epoch + 1
