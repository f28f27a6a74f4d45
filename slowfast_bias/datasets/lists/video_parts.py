"""Parts of videos as a csv writes them: `dive.mp4#t=1.5,4` (seconds), `dive.mp4#frames=0,90`.

A `#` elsewhere in a name is part of the name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slowfast_bias.datasets.contract import ClipSource, VideoDataset

_PART = re.compile(r"(.+)#(t|frames)=([0-9.]+),([0-9.]+)")


def with_part(name: str, unit: str, start: float, end: float) -> str:
    """Returns the name followed by the part; without a unit the name as it is."""
    return f"{name}#{unit}={_plain(start)},{_plain(end)}" if unit else name


def split_part(name: str) -> tuple[str, str, float, float]:
    """Returns name, unit, start and end; unit "" if no part. ValueError: a part without numbers."""
    found = _PART.fullmatch(name)
    return (found[1], found[2], float(found[3]), float(found[4])) if found else (name, "", 0.0, 0.0)


def _plain(number: float) -> str:
    """Returns a number without exponent, with enough digits to distinguish any two parts."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def recordings_of(dataset: ClipSource | VideoDataset) -> list[int]:
    """Returns, for every video of a list, the number of the file or folder it is cut from.

    Numbers count from 0 in the order of the list. Parts of one recording share its number: they
    are no independent samples.
    """
    numbers: dict[str, int] = {}
    clips = range(0, len(dataset), dataset.views)  # the first clip of each video
    names = (split_part(dataset.describe(clip)[0])[0] for clip in clips)
    return [numbers.setdefault(name, len(numbers)) for name in names]
