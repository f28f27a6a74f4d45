"""Saves a figure to a file: whole or not there, and the same bytes for the same figure."""

from __future__ import annotations

import io
import os

from iopath.common.file_io import g_pathmgr
from matplotlib.figure import Figure

from slowfast_bias.errors import RequestError
from slowfast_bias.files import write_whole
from slowfast_bias.visualization.drawing.style import styled

# Metadata in which two files of one figure would differ: the date, (PNG) matplotlib's version.
_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


def check_suffix(path: str | os.PathLike[str]) -> str:
    """Returns the suffix of `path`, the kind of file; RequestError if it is not one of figures."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in _METADATA:
        raise RequestError(
            f"Expected a figure file that ends in {', '.join(_METADATA)}, but got "
            f"{os.fspath(path)!r}."
        )
    return suffix


@styled()
def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes `figure` to `path` and creates its folder; a reader never gets half a file."""
    path, suffix = os.fspath(path), check_suffix(path)
    content = io.BytesIO()
    figure.savefig(content, format=suffix[1:], metadata=_METADATA[suffix])
    if folder := os.path.dirname(path):
        g_pathmgr.mkdirs(folder)
    with write_whole(path, "wb") as file:
        file.write(content.getvalue())
