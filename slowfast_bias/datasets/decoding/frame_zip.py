"""Zips of numbered pictures: read where they are, as a folder of the same pictures would be.

A folder inside of the zip does not count: pictures are known by their names alone.
"""

from __future__ import annotations

import zipfile
import zlib

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.timeline import VideoError


def is_zip(path: str) -> bool:
    """Returns whether this is a file of such a name."""
    return path.lower().endswith(".zip") and g_pathmgr.isfile(path)


def list_names(path: str) -> list[str]:
    """Returns the names of all files in a zip; VideoError if it is damaged."""
    return list(_members(path))


def read_member(path: str, name: str) -> bytes:
    """Returns the content of the file of a name; VideoError if it is damaged."""
    member = _members(path)[name]
    try:
        with g_pathmgr.open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return archive.read(member)
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise VideoError(f"Expected the picture {name} in {path}, but: {error}.") from error


def _members(path: str) -> dict[str, str]:
    """Returns {name without its folder: name}; VideoError if two have one name."""
    try:
        with g_pathmgr.open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile) as error:
        raise VideoError(f"Expected a zip of pictures at {path}, but: {error}.") from error
    found = {member.rpartition("/")[2]: member for member in members}
    if len(found) < len(members):
        raise VideoError(
            f"Expected pictures of one folder in {path}, but some of its {len(members)} files have "
            "the same name. Make one zip for each video."
        )
    return found
