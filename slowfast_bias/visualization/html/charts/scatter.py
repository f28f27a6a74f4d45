"""Every unit of a layer as a mark: small enough for thousands, and each can be asked for.

Coordinates are scores times 1000, so that the page's script reads the numbers off the marks: a
polyline a kind of unit, with a mark at every corner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from slowfast_bias.visualization.html.charts.axis import Span
from slowfast_bias.visualization.html.charts.svg import SHAPES, element, joined
from slowfast_bias.visualization.html.palette import MARKERS
from slowfast_bias.visualization.html.words import score

KINDS = ("residual", "static", "dynamic", "joint")  # from the bottom up
_MANY, _LARGE, _SMALL = 400, 0.9, 0.55  # sizes of marks up to so many units, and of more
_SIZE = 1000  # coordinates of a score of 1
_ROOM = (0.2, 0.03, 0.03, 0.16)  # left, right, top, bottom, as shares of the span


@dataclass(frozen=True)
class Units:
    """The live units of one kind: their numbers and two scores of each."""

    numbers: Sequence[int]
    x: Sequence[float]
    y: Sequence[float]


def marker_definitions() -> Markup:
    """Returns the marks of all kinds, once for the whole page."""
    found = [
        element(
            "marker",
            element("path", d=SHAPES[MARKERS[kind]], class_=f"mark unit k-{kind} k-unit"),
            id=f"unit-{kind}",
            markerWidth="10", markerHeight="10", viewBox="-5 -5 10 10", markerUnits="strokeWidth",
            overflow="visible",
        )
        for kind in KINDS
    ]  # fmt: skip
    return element("svg", element("defs", *found), class_="definitions", aria_hidden="true")


def unit_panel(
    name: str,
    kinds: Mapping[str, Units],
    titles: tuple[str, str],
    threshold: float | None = None,
) -> Markup:
    """Returns the scatter of one layer.

    Args:
        name: what it shows, in words.
        kinds: {kind: its units}.
        titles: of the x and the y axis.
        threshold: drawn on both axes, if scores are those that decide the kinds.
    """
    xs, ys = ([v for u in kinds.values() for v in getattr(u, axis)] for axis in "xy")
    span_x, span_y = _equal(Span.around([*xs, 0, 0.5], 0.5), Span.around([*ys, 0, 0.5], 0.5))
    length = _SIZE * (span_x.high - span_x.low)
    left, right, top, bottom = (share * length for share in _ROOM)
    low, high = _SIZE * span_x.low, -_SIZE * span_y.high
    box = (low - left, high - top, length + left + right, length + top + bottom)
    unit = box[2] / 340  # one pixel of a panel that is 340 wide
    parts = [_axes(span_x, span_y, titles, unit)]
    if threshold is not None:
        at = round(_SIZE * threshold)
        d = f"M{at} {high:.0f}v{length:.0f}M{low:.0f} {-at}h{length:.0f}"
        parts.append(element("path", d=d, class_="level"))
    size = unit * (_LARGE if len(xs) <= _MANY else _SMALL)
    parts += [_marks(kind, kinds[kind], size) for kind in KINDS if kind in kinds]
    ring = element("circle", r=f"{6 * unit:.0f}", class_="ring", cx="0", cy="0", hidden="hidden")
    return element(
        "svg",
        *parts,
        ring,
        viewBox=" ".join(f"{v:.0f}" for v in box),
        role="img",
        tabindex="0",
        class_="panel scatter",
        aria_label=name,
        style=f"--px:{unit:.2f}",
        data_x=titles[0],
        data_y=titles[1],
    )


def _equal(x: Span, y: Span) -> tuple[Span, Span]:
    """Returns spans of one length, so that distances compare."""
    length = max(x.high - x.low, y.high - y.low)
    spans = []
    for span in (x, y):
        more = (length - (span.high - span.low)) / 2
        spans.append(Span(span.low - more, span.high + more))
    return spans[0], spans[1]


def _axes(x: Span, y: Span, titles: tuple[str, str], unit: float) -> Markup:
    parts = []
    low, high = _SIZE * x.low, _SIZE * x.high
    floor, roof = -_SIZE * y.low, -_SIZE * y.high
    for tick in x.ticks(4):
        at, kind = _SIZE * tick, "zero" if abs(tick) < 1e-9 else "guide"
        parts.append(element("path", d=f"M{at:.0f} {floor:.0f}V{roof:.0f}", class_=kind))
        parts.append(_text(score(tick, 2), at, floor + 16 * unit, "middle"))
    for tick in y.ticks(4):
        at, kind = -_SIZE * tick, "zero" if abs(tick) < 1e-9 else "guide"
        parts.append(element("path", d=f"M{low:.0f} {at:.0f}H{high:.0f}", class_=kind))
        parts.append(_text(score(tick, 2), low - 6 * unit, at + 4 * unit, "end"))
    parts.append(_text(titles[0], (low + high) / 2, floor + 36 * unit, "middle"))
    turn = f"translate({low - 46 * unit:.0f} {(floor + roof) / 2:.0f})rotate(-90)"
    parts.append(element("text", titles[1], transform=turn, text_anchor="middle"))
    return joined(parts)


def _text(words: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", words, x=f"{x:.0f}", y=f"{y:.0f}", text_anchor=anchor)


def _marks(kind: str, units: Units, size: float) -> Markup:
    if not units.numbers:
        return joined(())
    places = zip(units.x, units.y, strict=True)
    mark = f"url(#unit-{kind})"
    return element(
        "polyline",
        points=" ".join(f"{_SIZE * x:.0f},{-_SIZE * y:.0f}" for x, y in places),
        class_="units",
        stroke_width=f"{size:.2f}",
        marker_start=mark,
        marker_mid=mark,
        marker_end=mark,
        data_kind=kind,
        data_units=" ".join(map(str, units.numbers)),
    )
