"""Axes of a panel: ticks at round numbers, names that turn if they would touch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from slowfast_bias.visualization.html.charts.svg import element, joined
from slowfast_bias.visualization.html.words import score

WIDTH, TOP, LEFT, RIGHT = 340.0, 10.0, 46.0, 12.0
PLOT = 170.0  # height of the plot
_LETTER = 6.3  # width of a letter of the ticks
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Span:
    """The numbers that an axis shows."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float], least: float = 0.1) -> Span:
        """Returns the span of finite values with some room, at least `least` long."""
        known = [x for x in values if math.isfinite(x)] or [0.0]
        low, high = min(known), max(known)
        short = max(least - (high - low), 0) / 2
        room = 0.06 * max(high - low, least)
        return cls(low - short - room, high + short + room)

    def place(self, value: float, start: float, end: float) -> float:
        """Returns the coordinate of a value on a line from `start` to `end`."""
        return start + (value - self.low) / (self.high - self.low) * (end - start)

    def ticks(self, most: int = 5) -> list[float]:
        """Returns round numbers within the span."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(x for x in _STEPS if x * power >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


@dataclass(frozen=True)
class Names:
    """The x axis: {position: its name}, what the names are, and what it shows beside the names."""

    ticks: Mapping[float, str]
    label: str
    also: tuple[float, ...] = ()

    @property
    def span(self) -> Span:
        """The positions with room at both ends."""
        low, high = min((*self.ticks, *self.also)), max((*self.ticks, *self.also))
        room = 0.06 * (high - low) or 0.5
        return Span(low - room, high + room)

    @property
    def slot(self) -> float:
        """The width of the place of one name."""
        places = [self.span.place(x, LEFT, WIDTH - RIGHT) for x in sorted(self.ticks)]
        return min((b - a for a, b in zip(places, places[1:], strict=False)), default=WIDTH)

    @property
    def turned(self) -> bool:
        """Whether the names stand upright."""
        return max(map(len, self.ticks.values()), default=0) * _LETTER + 6 > self.slot

    @property
    def every(self) -> int:
        """Every how many-th name has room."""
        return max(math.ceil(13 / self.slot), 1) if self.turned else 1

    @property
    def room(self) -> float:
        """The height below the plot."""
        longest = max(map(len, self.ticks.values()), default=0)
        return (min(longest, 22) * _LETTER + 12 if self.turned else 20) + (16 if self.label else 0)


def draw_y(span: Span, unit: str = "") -> Markup:
    """Returns guide lines with their numbers at the left."""
    ticks = span.ticks()
    digits = _digits(ticks)
    parts = []
    for tick in ticks:
        y = span.place(tick, TOP + PLOT, TOP)
        kind = "zero" if tick == 0 else "guide"
        parts.append(element("path", d=f"M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}", class_=kind))
        parts.append(
            element("text", f"{score(tick, digits)}{unit}", x=LEFT - 7, y=y + 4, text_anchor="end")
        )
    return joined(parts)


def draw_x(names: Names) -> Markup:
    """Returns the names below the plot."""
    parts, bottom = [], TOP + PLOT
    for i, (at, name) in enumerate(sorted(names.ticks.items())):
        if i % names.every:
            continue
        x = names.span.place(at, LEFT, WIDTH - RIGHT)
        short = name if len(name) <= 22 else f"{name[:10]}…{name[-11:]}"
        if names.turned:
            turn = f"translate({x + 4:.1f} {bottom + 8:.1f})rotate(-90)"
            parts.append(element("text", short, transform=turn, text_anchor="end"))
        else:
            parts.append(element("text", short, x=x, y=bottom + 16, text_anchor="middle"))
    if names.label:
        middle = (LEFT + WIDTH - RIGHT) / 2
        y = bottom + names.room - 4
        parts.append(
            element("text", names.label, x=middle, y=y, text_anchor="middle", class_="label")
        )
    return joined(parts)


def _digits(ticks: list[float]) -> int:
    """Returns how many decimals tell the ticks apart."""
    return next((n for n in range(5) if all(abs(round(x, n) - x) < 1e-9 for x in ticks)), 5)
