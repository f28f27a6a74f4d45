"""The side file of folders of flow: how they were made, for reports and for a second call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import cv2
from iopath.common.file_io import g_pathmgr

from slowfast_bias.errors import DataError
from slowfast_bias.files import cannot_write
from slowfast_bias.results import read_result, write_result

MADE = "flow.json"  # beside FlowImages_gap1


def how_made(folder: str) -> dict[str, Any]:
    """Returns how the flow in a folder was made, if this project made it; else {}."""
    path = f"{os.path.dirname(folder.rstrip('/')) or '.'}/{MADE}"
    return dict(read_result(path, "flow").meta) if g_pathmgr.isfile(path) else {}


def remember(
    out: str, preset: str, about: Mapping[str, Any], counts: Mapping[str, int] | None = None
) -> None:
    """Writes the side file; DataError if the flow that is there was made in another way.

    Args:
        out: the folder of the folders of flow.
        preset: of DIS.
        about: further settings.
        counts: {sequence: flows each way}, as far as they are known.
    """
    path, method = f"{out}/{MADE}", f"OpenCV {cv2.__version__} DIS {preset}"
    before = read_result(path, "flow") if os.path.isfile(path) else None
    if before and before.meta.get("method") != method:
        raise DataError(
            f"Expected flow of {method} in {out}, but {path} says that what is there was made by "
            f"{before.meta.get('method')}. Give another folder, or remove that flow and {MADE}."
        )
    known = before.data.get("flows", {}) if before else {}
    try:
        write_result(
            path, "flow", {"method": method, **about}, {"flows": {**known, **(counts or {})}}
        )
    except OSError as error:
        raise cannot_write(path, error) from error
