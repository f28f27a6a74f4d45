"""Files of `torch.save`, of both forms, read without running anything that they hold.

torch's own reader of weights alone comes first. What it refuses because of other objects beside
the tensors (arguments of a script, buffers of a logger, numpy numbers) is read by `inert`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
import zipfile
from typing import IO, Any

import torch

from slowfast_bias.models.weights.inert import InertUnpickler, names_are_short
from slowfast_bias.models.weights.inert_objects import Function, realise
from slowfast_bias.models.weights.sniff import TORCH_ZIP

log = logging.getLogger(__name__)

_STORAGES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16,
    "BFloat16": torch.bfloat16, "Long": torch.int64, "Int": torch.int32, "Short": torch.int16,
    "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool, "Untyped": torch.uint8,
    "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128,
}  # fmt: skip


class _StorageType:
    """A class of torch's storages, as a pickle names it."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        """Does nothing."""


class _Storage:
    """The numbers of one or more tensors."""

    __slots__ = ("flat",)

    def __init__(self, flat: torch.Tensor) -> None:
        self.flat = flat

    def __setstate__(self, state: Any) -> None:
        """Does nothing."""


_MOST = 1 << 24  # bytes of pickles that are looked through for names of classes
_TYPES = {
    (module, f"{name}Storage"): _StorageType(dtype)
    for name, dtype in _STORAGES.items()
    for module in ("torch", "torch.cuda", "torch.storage")
}


def read_torch(file: IO[bytes], kind: str) -> Any:
    """Returns the content of a file of torch: tensors, numbers, texts, and `Inert` objects."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # protocols of pickle that it knows little
            if names_are_short(_pickle_of(file, kind)):
                return torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # it names something that is no tensor; or, as will be seen, it is damaged
        pass
    file.seek(0)
    return realise(_content_of_zip(file) if kind == TORCH_ZIP else _content_of_legacy(file))


def read_pickle(file: IO[bytes]) -> Any:
    """Returns the content of a file of pickle.dump, arrays as tensors."""
    # so each tensor is kept in such a pickle: as a file of torch
    from_bytes = {("torch.storage", "_load_from_bytes"): Function(_content_of_bytes)}
    return realise(_load(InertUnpickler(file, from_bytes)))


def _content_of_bytes(data: bytes) -> Any:
    is_zip = data.startswith(b"PK")
    return (_content_of_zip if is_zip else _content_of_legacy)(io.BytesIO(data))


def _load(unpickler: InertUnpickler) -> Any:
    content = unpickler.load()
    if unpickler.left_out:
        names = ", ".join(sorted(unpickler.left_out))
        log.info("objects of these classes were left out, as they are no weights: %s", names)
    return content


# -- since torch 1.6: a zip of a pickle, and of one file for each storage -------------------------


def _pickle_of(file: IO[bytes], kind: str) -> bytes:
    """Returns the start of the pickles of a file, and leaves the file at its own."""
    if kind != TORCH_ZIP:
        found = file.read(_MOST)
    else:
        with zipfile.ZipFile(file) as archive:
            part = archive.getinfo(_pickle_in(archive))
            part.CRC = None  # has been looked at, if the file has any
            with archive.open(part) as pickled:
                found = pickled.read(_MOST)
    file.seek(0)
    return found


def _pickle_in(archive: zipfile.ZipFile) -> str:
    """Returns the name of the one pickle; ValueError if there are none or several."""
    (found,) = (name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
    return found


def _content_of_zip(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        names, pickled = archive.namelist(), _pickle_in(archive)
        folder, storages = pickled.removesuffix("data.pkl"), {}
        if f"{folder}byteorder" in names:
            _check_order(archive.read(f"{folder}byteorder") == b"little")

        def load_storage(pid: Any) -> Any:
            _, kind, key, _, numel = pid
            if key not in storages:
                data = archive.read(f"{folder}data/{key}")
                storages[key] = _Storage(_numbers(data, kind.dtype, numel))
            return storages[key]

        return _load(InertUnpickler(io.BytesIO(archive.read(pickled)), _TYPES, load_storage))


def _numbers(data: bytes, dtype: torch.dtype, numel: int) -> torch.Tensor:
    if not numel:
        return torch.empty(0, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype, count=numel)


def _check_order(is_little: bool) -> None:
    if is_little != (sys.byteorder == "little"):
        raise ValueError("its numbers are not in the order of bytes of this machine")


# -- before: pickles in a row, and the storages behind them ----------------------------------------


def _content_of_legacy(file: IO[bytes]) -> Any:
    _, _, system = (InertUnpickler(file).load() for _ in range(3))
    _check_order(system["little_endian"])
    here = file.tell()
    limit, storages = file.seek(0, os.SEEK_END), {}
    file.seek(here)

    def load_storage(pid: Any) -> Any:
        if pid[0] == "module":  # the class of a network, with its source: inert as it is
            return pid[1]
        _, kind, key, _, numel, view = pid
        if key not in storages:
            if numel * kind.dtype.itemsize > limit:
                raise EOFError(f"{numel} numbers in a file of {limit} bytes")
            storages[key] = torch.empty(numel, dtype=kind.dtype)
        flat = storages[key]  # its numbers come behind the pickle
        return _Storage(flat if view is None else flat[view[1] : view[1] + view[2]])

    content = _load(InertUnpickler(file, _TYPES, load_storage))
    for key in InertUnpickler(file).load():
        numel = int.from_bytes(file.read(8), "little")
        if numel != len(storages[key]):
            raise ValueError(f"{numel} numbers, {len(storages[key])} were announced")
        size = numel * storages[key].dtype.itemsize
        storages[key].copy_(_numbers(file.read(size), storages[key].dtype, numel))
    return content
