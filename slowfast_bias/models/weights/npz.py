"""Files of numpy arrays by name (.npz), in which weights of JAX and TensorFlow are passed on.

Arrays of numbers alone are read: an array of objects is a pickle, which could run code.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import IO

import numpy as np
import torch

from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.sniff import half


def read_npz(file: IO[bytes], path: str) -> dict[str, torch.Tensor]:
    """Returns the arrays of an open file as tensors of their own type."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: _tensor(arrays[name], name, path) for name in arrays.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise CheckpointError(
                f"Expected {path} to hold arrays of numbers only, but it holds Python objects, "
                "which are not loaded because that could run code. Save the arrays of numbers "
                "alone: numpy.savez(FILE, **arrays)."
            ) from error
        raise half(path, f"its arrays cannot be read ({error or type(error).__name__})") from error


def _tensor(array: np.ndarray, name: str, path: str) -> torch.Tensor:
    if array.dtype.kind not in "fiub":
        raise CheckpointError(
            f"Expected arrays of numbers in {path}, but {name!r} is of {array.dtype}. Save it "
            "without that array."
        )
    native = array.astype(array.dtype.newbyteorder("="))  # torch knows the machine's order only
    return torch.from_numpy(np.array(native, order="C"))
