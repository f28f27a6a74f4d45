"""Where the flow of a frame is kept: the three layouts in use, told apart by the files' names.

    motiongrouping   FlowImages_gap1/bear/00003.png, backward: FlowImages_gap-1/bear/00003.png
                     (of the later frame); also Flows_gap1/bear/00003.flo
    matnet           bear/00003_00004.png, backward: bear/00004_00003.png
    rtnet            fw_bear_00003.png, bw_bear_00003.png, also bear/fw_00003.png

Forward flow goes from a frame to the next, backward flow to the one before it: of n frames there
are n - 1 each, and the last frame has no forward flow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.flow.files import ENDINGS
from slowfast_bias.errors import DataError

Frames = Mapping[str, Sequence[str]]  # sequence -> names of its frames
_GAP = re.compile(r"gap(\d+)$")


def _same_name(sequence: str, frame: str, other: str, backward: bool) -> str:
    return f"{sequence}/{frame}"


def _both_names(sequence: str, frame: str, other: str, backward: bool) -> str:
    return f"{sequence}/{frame}_{other}"


def _with_prefix(sequence: str, frame: str, other: str, backward: bool) -> str:
    return f"{sequence}/{'bw' if backward else 'fw'}_{frame}"


def _all_in_one(sequence: str, frame: str, other: str, backward: bool) -> str:
    return f"{'bw' if backward else 'fw'}_{sequence}_{frame}"


# name -> path of a flow below its folder, without ending, of (sequence, frame, other, backward)
LAYOUTS: dict[str, Callable[[str, str, str, bool], str]] = {
    "motiongrouping": _same_name,
    "matnet": _both_names,
    "rtnet": _with_prefix,
    "rtnet, one folder": _all_in_one,
}


@dataclass(frozen=True)
class FlowFolder:
    """A folder that has the flow of every frame.

    Attributes:
        folder: its path.
        layout: one of LAYOUTS.
        ending: of its files, ".png" (coded) or ".flo" (raw).
        backward: whether it is flow to the frame before.
    """

    folder: str
    layout: str
    ending: str
    backward: bool = False

    def path(self, sequence: str, frames: Sequence[str], frame: int) -> str:
        """Returns the path of a frame's flow."""
        after = frame - 1 if self.backward else frame + 1
        other = frames[after] if 0 <= after < len(frames) else ""
        plain = LAYOUTS[self.layout](sequence, frames[frame], other, self.backward)
        return f"{self.folder}/{plain}{self.ending}"


def has_flow(frame: int, length: int, backward: bool) -> bool:
    """Returns whether a frame has flow: the last has none forward, the first none backward."""
    return frame > 0 if backward else frame < length - 1


def find_flow(
    folder: str,
    sequences: Frames,
    backward: bool = False,
    advice: str = "",
    only: Mapping[str, Sequence[int]] | None = None,
) -> FlowFolder:
    """Returns the flow of frames; DataError says how many lack it and what would make it.

    Args:
        folder: that of the forward flow.
        sequences: names of the frames, sequence by sequence.
        backward: whether flow to the frame before is wanted. If the folder is called ...gap1 it is
            in ...gap-1 beside, else in the same.
        advice: the command that makes what is missing.
        only: positions of the frames whose flow is wanted, by sequence; of all if not given.
    """
    place = _GAP.sub(r"gap-\1", folder.rstrip("/")) if backward else folder.rstrip("/")
    if not g_pathmgr.isdir(place):
        raise DataError(f"Expected a folder of flow at {place}, but it is not there. {advice}")
    there = _Files()
    kinds = [FlowFolder(place, name, end, backward) for name in LAYOUTS for end in ENDINGS]
    wanted = only or {name: range(len(frames)) for name, frames in sequences.items()}
    wanted = {
        name: [k for k in numbers if has_flow(k, len(sequences[name]), backward)]
        for name, numbers in wanted.items()
    }
    missing = {kind: _missing(kind, sequences, wanted, there) for kind in kinds}
    flow = min(kinds, key=lambda kind: len(missing[kind]))
    if lacking := missing[flow]:
        total = sum(map(len, wanted.values()))
        raise DataError(
            f"Expected flow of {total} frames in {place}, but {len(lacking)} have none, the first "
            f"of them {lacking[0]}. {advice}"
        )
    _check_surplus(flow, sequences, there)
    return flow


def _missing(
    flow: FlowFolder, sequences: Frames, wanted: Mapping[str, Sequence[int]], there: _Files
) -> list[str]:
    paths = (
        flow.path(name, sequences[name], k) for name, numbers in wanted.items() for k in numbers
    )
    return [path for path in paths if path not in there]


def _check_surplus(flow: FlowFolder, sequences: Frames, there: _Files) -> None:
    """Raises DataError if there is flow of as many frames as there are: which belongs to which?"""
    for name, frames in sequences.items():
        path = flow.path(name, frames, 0 if flow.backward else len(frames) - 1)
        if path in there:
            raise DataError(
                f"Expected {len(frames) - 1} flows for the {len(frames)} frames of {name}, as the "
                f"{'first' if flow.backward else 'last'} frame has none, but {path} is there too. "
                "Remove it if the others are named by the frames they belong to; rename them if "
                "they are one off."
            )


class _Files:
    """Which files are there; every folder is listed once."""

    def __init__(self) -> None:
        self.listed: dict[str, frozenset[str]] = {}

    def __contains__(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if folder not in self.listed:
            names = g_pathmgr.ls(folder) if g_pathmgr.isdir(folder) else []
            self.listed[folder] = frozenset(names)
        return name in self.listed[folder]
