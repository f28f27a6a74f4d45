"""Floor 0: result files, strict JSON of one form: `{"format", "kind", "meta", "data"}`.

    write_result(path, "frame_orders", meta, data)
    read_result(path, "frame_orders").data

NaN and infinity are null. `meta` says where the numbers come from; `data` are the numbers. A bias
report has its layers under `layers`, as format 1 always had, and their table in numbers as `data`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import UserError
from slowfast_bias.files import write_whole

FORMAT = 1
# Kind -> where a run leaves such a file.
_USUAL = {
    "report": "bias/report.json",
    "frame_orders": "bias/orders.json",
    "silencing": "bias/ablation.json",
    "battery": "bias/battery.json",
    "top_clips": "bias/top_clips.json",
    "maximised": "maximised.json",
    "segmentation": "segmentation.json",
    "flow": "flow.json beside the folders of flow",
}


class ResultError(UserError, ValueError):
    """A file that does not hold the result that was expected."""


class Result(NamedTuple):
    """The content of a result file."""

    kind: str
    meta: dict[str, Any]
    data: Any


def write_result(
    path: str | os.PathLike[str], kind: str, meta: Mapping[str, Any], data: Any, **more: Any
) -> None:
    """Writes a result file, whole or not at all.

    Args:
        path: where.
        kind: what it is: "report", "frame_orders", "silencing", ...
        meta: where the numbers come from.
        data: the numbers.
        more: further entries beside these.
    """
    content = {"format": FORMAT, "kind": kind, "meta": meta, "data": data, **more}
    text = json.dumps(strict(content), allow_nan=False) + "\n"
    with write_whole(path) as file:
        file.write(text)


def read_result(path: str | os.PathLike[str], kind: str) -> Result:
    """Returns the result in a file; ResultError, in one line, if there is none of this kind."""
    content = read_object(path, kind)
    if not isinstance(content.get("data"), (Mapping, list)):
        raise ResultError(f"Expected {_wanted(kind)}, but {path} has no `data`.")
    return Result(content["kind"], content["meta"], content["data"])


def read_object(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Returns the whole object in a result file; ResultError if it is not one of this kind.

    A file of before there were kinds is taken as it is.
    """
    path, wanted = os.fspath(path), _wanted(kind)
    try:
        with g_pathmgr.open(path, "r") as file:
            content = json.load(file)
    except OSError as error:
        why = error.strerror or error
        raise ResultError(f"Expected {wanted}, but {path} cannot be read: {why}.") from error
    except (ValueError, RecursionError) as error:  # no text, no JSON, or nested without end
        raise ResultError(f"Expected {wanted}, but {path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        name = type(content).__name__
        raise ResultError(f"Expected {wanted}, but {path} holds a {name}, not an object.")
    found, format = content.setdefault("kind", kind), content.setdefault("format", FORMAT)
    if found != kind:
        raise ResultError(f"Expected {wanted}, but {path} is of kind {found!r}.")
    if not isinstance(format, int) or not 1 <= format <= FORMAT:
        newer = ": a newer slowfast_bias wrote it" if isinstance(format, int) else ""
        raise ResultError(
            f"Expected format {FORMAT} or older, but {path} has format {format!r}{newer}."
        )
    if not isinstance(content.setdefault("meta", {}), dict):
        raise ResultError(f"Expected an object `meta` in {path}, but got {content['meta']!r}.")
    return content


def _wanted(kind: str) -> str:
    usual = _USUAL.get(kind)
    return f"a {kind} file ({usual} of a run)" if usual else f"a {kind} file"


def strict(value: Any) -> Any:
    """Returns `value` as strict JSON has it: tensors as lists, NaN and infinities as None."""
    if hasattr(value, "tolist"):
        return strict(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): strict(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
