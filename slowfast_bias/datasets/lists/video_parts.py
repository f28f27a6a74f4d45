"""Parts of videos as a csv writes them: `dive.mp4#t=1.5,4` (seconds), `dive.mp4#frames=0,90`.

A `#` elsewhere in a name is part of the name.
"""

from __future__ import annotations

import re

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
