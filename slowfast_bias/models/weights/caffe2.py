"""The Caffe2 files (.pkl) of SlowFast's model zoo: pickles, read without running anything."""

from __future__ import annotations

import pickle
from typing import IO, Any

import numpy as np
import torch

from slowfast_bias import host

# All that a dictionary of numpy arrays needs; every other name in a pickle is refused.
_ARRAYS = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"), ("collections", "OrderedDict"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
}  # fmt: skip


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_caffe2(file: IO[bytes]) -> dict[str, torch.Tensor]:
    """Returns the network's weights under PyTorch names; the optimiser's blobs are left out."""
    blobs = _ArraysOnly(file, encoding="latin1").load()["blobs"]
    weights = {}
    for blob, value in blobs.items():
        if any(word in blob for word in ("momentum", "lr", "model_iter")):
            continue
        weights[host.caffe2_name(blob)] = torch.from_numpy(np.array(value))
    return weights
