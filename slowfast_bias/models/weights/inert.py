"""An unpickler that builds tensors, arrays, numbers and texts, and runs nothing of a file.

A pickle is a program: it names functions and has them called. Here a name gives a function of this
module if it is one of the few that tensors and arrays are made with, and for every other name a
class whose construction, call and state do nothing (`Inert`).
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
import torch

from slowfast_bias.models.weights.inert_objects import (
    Array,
    Dict,
    DType,
    Function,
    Inert,
    TensorOf,
)


def _scalar(kind: DType, data: Any) -> Any:
    if kind.type is None:
        return Inert()
    data = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(data, dtype=kind.type)[0].item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1", "iso-8859-1"):
        raise pickle.UnpicklingError(f"text in {encoding!r}")
    return text.encode("latin1")


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *more: Any) -> TensorOf:
    return TensorOf(storage, offset, size, stride)


def _typed_tensor(
    storage: Any, offset: int, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *more: Any
) -> TensorOf:
    return TensorOf(storage, offset, size, stride, dtype)


_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # of numpy 1 and 2
_REAL: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): Dict,
    ("_codecs", "encode"): Function(_encode),
    ("numpy", "dtype"): DType,
    ("numpy", "ndarray"): Array,
    **{(module, "_reconstruct"): Array for module in _MULTIARRAY},
    **{(module, "scalar"): Function(_scalar) for module in _MULTIARRAY},
    ("torch._utils", "_rebuild_tensor"): Function(_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_tensor),
    ("torch._utils", "_rebuild_tensor_v3"): Function(_typed_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(lambda data, *more: data),
    ("torch._utils", "_rebuild_parameter_with_state"): Function(lambda data, *more: data),
    ("torch", "Size"): Function(lambda size=(): tuple(size)),
    ("torch", "device"): Function(lambda *name: ":".join(map(str, name))),
    **{
        ("torch", name): value
        for name, value in vars(torch).items()
        if isinstance(value, torch.dtype)
    },
}


_LONGEST = 500  # characters of the name of a class
_MEMO = ("PUT", "BINPUT", "LONG_BINPUT")


def _check_numbers(file: IO[bytes]) -> None:
    """Raises UnpicklingError if a pickle numbers its objects beyond its own bytes.

    The reader makes a table as long as the largest number: a few bytes could ask for gigabytes.
    """
    start, size = file.tell(), file.seek(0, os.SEEK_END)
    file.seek(start)
    largest = 0
    with contextlib.suppress(Exception):  # damaged in another way: the reader says it
        for opcode, number, _ in pickletools.genops(file):
            if opcode.name in _MEMO:
                largest = max(largest, number)
    file.seek(start)
    if largest > size:
        raise pickle.UnpicklingError(f"its {size} bytes ask for a table of {largest} objects")


def names_are_short(pickled: bytes) -> bool:
    """Returns whether pickles can be read through and name no class at greater length than any has.

    torch looks into its own message about such a name, in time that grows with the square of its
    length: some ten thousand characters took it minutes.
    """
    file = io.BytesIO(pickled)
    try:
        for _ in range(5):  # so many a file of torch's older form has, one after another
            if file.tell() == len(pickled):
                break
            for opcode, name, _ in pickletools.genops(file):
                if opcode.name in ("GLOBAL", "INST") and len(name) > _LONGEST:
                    return False
    except Exception:  # whatever a damaged one raises
        return False
    return True


class InertUnpickler(pickle.Unpickler):
    """Reads a pickle; `left_out` names the classes that were not built.

    Args:
        file: the pickle.
        storages: (module, name) of the classes of torch's storages -> what a file is given for it.
        load_storage: what a persistent id of a file stands for; None if it may have none.
    """

    def __init__(
        self,
        file: IO[bytes],
        storages: Mapping[tuple[str, str], Any] | None = None,
        load_storage: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(file, encoding="latin1")  # texts of Python 2; others say what they are in
        self._file, self.left_out = file, set[str]()
        self._storages, self._load_storage = storages or {}, load_storage

    def load(self) -> Any:
        """Returns the content of the pickle."""
        _check_numbers(self._file)
        return super().load()

    def find_class(self, module: str, name: str) -> Any:
        """Returns what a name of the file stands for; imports nothing."""
        for known in (_REAL, self._storages):
            if (module, name) in known:
                return known[module, name]
        self.left_out.add(f"{module}.{name}")
        return type("Inert", (Inert,), {"__slots__": (), "stands_for": f"{module}.{name}"[:200]})

    def persistent_load(self, pid: Any) -> Any:
        """Returns the storage of a persistent id, which is nothing else's."""
        if self._load_storage is None:
            raise pickle.UnpicklingError("a persistent id, which only files of torch have")
        return self._load_storage(pid)
