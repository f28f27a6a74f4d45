"""Files of safetensors: a header in JSON, then numbers; a folder of several with an index.

No package is needed to read them, and nothing in them could run.
"""

from __future__ import annotations

import json
import math
import os
from typing import IO, Any

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.sniff import SAFETENSORS, half, kind_of

INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip


def read_safetensors(file: IO[bytes], path: str) -> dict[str, torch.Tensor]:
    """Returns the tensors of an open file."""
    length = int.from_bytes(file.read(8), "little")
    text = file.read(length)
    if len(text) < length:
        raise half(path, "its list of tensors is not all there")
    header = _parse(text, path)
    header.pop("__metadata__", None)
    data = memoryview(file.read())
    spans = {name: _span(entry, f"{name!r} of {path}") for name, entry in header.items()}
    _check_spans(sorted((start, end) for start, end, _, _ in spans.values()), len(data), path)
    return {
        name: _tensor(data[start:end], dtype, shape)
        for name, (start, end, dtype, shape) in spans.items()
    }


def read_folder(folder: str) -> dict[str, torch.Tensor]:
    """Returns the tensors of a folder: of all the files that its index names, or of its only one.

    A file that is missing is named.
    """
    index = os.path.join(folder, INDEX)
    return read_index(index) if g_pathmgr.exists(index) else _read_files(folder, [_SINGLE])


def read_index(path: str) -> dict[str, torch.Tensor]:
    """Returns the tensors of all the files that an index names; they lie beside it."""
    with g_pathmgr.open(path, "rb") as file:
        return _read_files(os.path.dirname(path) or ".", files_of_index(file.read(), path))


def files_of_index(text: bytes, path: str) -> list[str]:
    """Returns the names of the files in an index, whose content is `text`.

    Raises CheckpointError for any other text: what lies beside it is not what was asked for.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise half(path, f"it begins as text in JSON and is none: {error}") from error
    files = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(files, dict) or not files:
        raise CheckpointError(
            f"Expected {path} to be a file of weights, or an index with a `weight_map` of "
            "{weight: file}, but it is text in JSON that names no files (as a server's answer, or "
            "a config). Download the file of weights itself."
        )
    for name, file in files.items():
        if not isinstance(file, str) or os.path.basename(file) != file or not file.strip("."):
            raise CheckpointError(
                f"Expected the name of a file beside {path} in its `weight_map`, but got {file!r} "
                f"for {name!r}. Copy it again."
            )
    return sorted(set(files.values()))


def _read_files(folder: str, files: list[str]) -> dict[str, torch.Tensor]:
    missing = [name for name in files if not g_pathmgr.exists(os.path.join(folder, name))]
    if missing:
        raise CheckpointError(
            f"Expected {', '.join(files[:4])} in {folder}, but {', '.join(missing[:4])} is not "
            "there. Copy the whole folder, or give one file of weights."
        )
    weights: dict[str, torch.Tensor] = {}
    for name in files:
        path = os.path.join(folder, name)
        with g_pathmgr.open(path, "rb") as file:
            if (kind := kind_of(file, path)) != SAFETENSORS:
                raise CheckpointError(
                    f"Expected {path} to be a file of safetensors, as {folder} is read as a folder "
                    f"of such, but it is of the kind {kind}. Give one file of weights."
                )
            weights.update(read_safetensors(file, path))
    return weights


def _parse(text: bytes, path: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"Expected {path} to list tensors in JSON, but it does not: {error}. Copy it again."
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(f"Expected {path} to list tensors, but got {type(found).__name__}.")
    return found


def _span(entry: Any, what: str) -> tuple[int, int, torch.dtype, list[int]]:
    """Returns first byte, last byte, type and shape of a tensor, which must fit each other."""
    try:
        dtype, shape, (start, end) = _TYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        whole = all(type(n) is int and n >= 0 for n in (*shape, start, end))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"Expected {what} to have a known dtype, a shape and offsets, but got {entry!r}. Save "
            "the file again."
        ) from error
    if not whole or end - start != math.prod(shape) * dtype.itemsize:
        raise CheckpointError(
            f"Expected {what} to fill its bytes, but {shape} of {entry['dtype']} is not "
            f"{start} to {end}. Copy it again."
        )
    return start, end, dtype, shape


def _check_spans(spans: list[tuple[int, int]], size: int, path: str) -> None:
    last = max((end for _, end in spans), default=0)
    if last > size:
        raise half(path, f"its tensors need {last} bytes, {size} are there")
    overlap = next((b for a, b in zip(spans, spans[1:], strict=False) if b[0] < a[1]), None)
    if overlap is not None:
        raise CheckpointError(
            f"Expected tensors side by side in {path}, but two share byte {overlap[0]}. Save the "
            "file again."
        )


def _tensor(data: memoryview, dtype: torch.dtype, shape: list[int]) -> torch.Tensor:
    if not len(data):
        return torch.empty(shape, dtype=dtype)
    # a copy, which begins where numbers of its type may begin
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
