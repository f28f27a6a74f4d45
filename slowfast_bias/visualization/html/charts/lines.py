"""A panel of lines with error bars or bands: scores by layer, by epoch, by rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from slowfast_bias.visualization.html.charts.axis import (
    LEFT,
    PLOT,
    RIGHT,
    TOP,
    WIDTH,
    Names,
    Span,
    draw_x,
    draw_y,
)
from slowfast_bias.visualization.html.charts.svg import element, figure_svg, joined, mark, path_of
from slowfast_bias.visualization.html.palette import MARKERS
from slowfast_bias.visualization.html.words import score, span

_MOST_MARKS = 16  # on one line
_DODGE = 2.5  # between lines with error bars


@dataclass(frozen=True)
class Point:
    """A value at a position, and the ends of its error bar."""

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan


GAP = Point(math.nan, math.nan)  # between two pieces of a line


@dataclass(frozen=True)
class Series:
    """A line of a panel.

    Attributes:
        name: in the legend.
        points: in the order of x; NaN leaves a gap.
        look: its colour and mark, see `palette`.
        dashed: whether it is a reference, or a second pathway.
        band: whether errors are a band instead of bars.
    """

    name: str
    points: Sequence[Point]
    look: str
    dashed: bool = False
    band: bool = False


def line_panel(
    name: str,
    series: Sequence[Series],
    names: Names,
    span_y: Span | None = None,
    zero: bool = False,
    levels: Mapping[str, float] | None = None,
    unit: str = "",
) -> Markup:
    """Returns a panel.

    Args:
        name: what it shows, for those who do not see it.
        series: the lines.
        names: the x axis.
        span_y: of the y axis; if not given, what the lines need.
        zero: whether the line of zero is in view always.
        levels: {name: y} of dotted lines, such as chance.
        unit: behind the numbers of the y axis.
    """
    levels = levels or {}
    if span_y is None:
        values = [v for line in series for p in line.points for v in (p.y, p.low, p.high)]
        span_y = Span.around([*values, *levels.values(), *([0.0] if zero else [])])
    parts = [draw_y(span_y, unit), draw_x(names)]
    for said, level in levels.items():
        y = span_y.place(level, TOP + PLOT, TOP)
        parts.append(
            element(
                "path",
                element("title", f"{said} {score(level, 1)}"),
                d=f"M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}",
                class_="level",
            )
        )
    middle = (len(series) - 1) / 2
    for i, line in enumerate(series):  # beside each other, so that no error bar hides another
        parts.append(_draw(line, names, span_y, 0.0 if line.band else _DODGE * (i - middle)))
    return figure_svg(WIDTH, TOP + PLOT + names.room, name, *parts, class_="panel")


def _draw(line: Series, names: Names, span_y: Span, shift: float) -> Markup:
    known = [p for p in line.points if math.isfinite(p.y)]
    places = {
        p.x: (
            names.span.place(p.x, LEFT, WIDTH - RIGHT) + shift,
            *(span_y.place(v, TOP + PLOT, TOP) for v in (p.y, p.low, p.high)),
        )
        for p in known
    }
    parts = [_band(places)] if line.band else [_bars(places)]
    parts += [
        element("path", d=path_of(run), class_="line dashed" if line.dashed else "line")
        for run in _runs(line.points, places)
    ]
    step = math.ceil(len(known) / _MOST_MARKS)
    for point in known[:: step or 1]:
        x, y, *_ = places[point.x]
        where = names.ticks.get(point.x, score(point.x, 2))
        interval = span(point.low, point.high, 3 if abs(point.y) <= 1.5 else 1)
        title = f"{line.name}, {where}: {score(point.y, 3)} {interval}".strip()
        parts.append(mark(MARKERS[line.look], x, y, line.look, title, line.dashed))
    return element("g", *parts, class_=f"k-{line.look}")


def _runs(
    points: Sequence[Point], places: Mapping[float, tuple[float, ...]]
) -> list[list[tuple[float, float]]]:
    """Returns the pieces of a line between gaps."""
    found: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if math.isfinite(point.y):
            found[-1].append(places[point.x][:2])
        else:
            found.append([])
    return [run for run in found if len(run) > 1]


def _bars(places: Mapping[float, tuple[float, ...]]) -> Markup:
    ends = [(x, low, high) for x, _, low, high in places.values() if math.isfinite(low + high)]
    d = "".join(
        f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6"
        for x, low, high in ends
    )
    return element("path", d=d, class_="bar") if d else joined(())


def _band(places: Mapping[float, tuple[float, ...]]) -> Markup:
    ends = [(x, low, high) for x, _, low, high in places.values() if math.isfinite(low + high)]
    if len(ends) < 2:
        return _bars(places)
    upper, lower = [(x, high) for x, _, high in ends], [(x, low) for x, low, _ in reversed(ends)]
    return element("path", d=f"{path_of([*upper, *lower])}z", class_="band")
