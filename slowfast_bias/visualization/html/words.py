"""Numbers as the page writes them: a real minus sign, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

NONE = "–"
SPACE = "\N{NO-BREAK SPACE}"


def score(value: float, digits: int = 3) -> str:
    """Returns "−0.220"; a difference that rounds to nothing has no sign."""
    if not math.isfinite(value):
        return NONE
    written = f"{value:.{digits}f}"
    return (written.lstrip("-") if float(written) == 0 else written).replace("-", "−")


def with_error(value: float, error: float, digits: int = 3) -> str:
    """Returns "0.850 ± 0.021", or the value alone where no error can be given."""
    if not math.isfinite(value) or not math.isfinite(error):
        return score(value, digits)
    return f"{score(value, digits)}{SPACE}±{SPACE}{score(error, digits)}"


def percent(value: float, digits: int = 1) -> str:
    """Returns "26.0 %"."""
    written = score(value, digits)
    return written if written == NONE else f"{written}{SPACE}%"


def span(low: float, high: float, digits: int = 1) -> str:
    """Returns "[19.2, 34.3]"; "" where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{score(low, digits)}, {score(high, digits)}]"


def with_span(value: float, low: float, high: float, digits: int = 1) -> str:
    """Returns "26.0 % [19.2, 34.3]"."""
    return f"{percent(value, digits)} {span(low, high, digits)}".strip()


def count(number: int, thing: str) -> str:
    """Returns "1 video" or "12 videos"."""
    return f"{number}{SPACE}{thing}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], most: int = 10) -> str:
    """Returns "a, b and c", or the first `most` of them and how many more there are."""
    words = list(words)
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def plain(value: Any) -> str:
    """Returns a value of a result's `meta` as text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(x)}" for key, x in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    if isinstance(value, float):
        return f"{value:g}".replace("-", "−")
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "not known"}[value]
    return str(value)
