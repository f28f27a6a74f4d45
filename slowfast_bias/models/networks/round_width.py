"""How a width times a factor becomes a whole number of channels, as in MobileNet and SlowFast."""

from __future__ import annotations


def round_width(width: float, factor: float, divisor: int = 1, least: int = 1) -> int:
    """Returns the multiple of `divisor` nearest to width * factor, but not below 90 % of it.

    Args:
        width: number of channels.
        factor: what it is multiplied by; 0 leaves the width as it is.
        divisor: what the result is a multiple of.
        least: the smallest result.
    """
    if not factor:
        return int(width)
    wanted = width * factor
    rounded = max(least, int(wanted + divisor / 2) // divisor * divisor)
    return int(rounded + divisor if rounded < 0.9 * wanted else rounded)
