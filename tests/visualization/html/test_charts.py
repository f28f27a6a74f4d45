"""Panels: values stand where the axis says, and an axis has round numbers."""

from __future__ import annotations

import math
import re

import pytest
from markupsafe import escape
from support.pages import MARKUP
from support.parsed_page import ParsedPage

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.charts.axis import Names, Span
from slowfast_bias.visualization.html.charts.bars import accuracy_bar
from slowfast_bias.visualization.html.charts.lines import Point, Series, line_panel


@pytest.mark.parametrize("values", [[0, 1], [0.31, 0.33], [-0.4, 1.2], [1e-4, 2e-4], [3, 97], []])
def test_ticks_are_round_and_inside(values):
    span = Span.around(values)
    ticks = span.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(span.low <= x <= span.high for x in ticks)
    step = ticks[1] - ticks[0]
    lead = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(lead - x) for x in (1, 2, 2.5, 5)) < 1e-6
    assert all(span.low <= x <= span.high for x in values)


def places(picture):
    """(x, y) of every mark, and {number: y} of the guide lines."""
    page = ParsedPage(picture)
    marks = [x.attributes["transform"] for x in page.all("path") if "mark" in
             x.attributes.get("class", "")]  # fmt: skip
    marks = [tuple(map(float, re.findall(r"-?[\d.]+", x))) for x in marks]
    numbers = [x for x in page.all("text") if x.attributes.get("text-anchor") == "end"]
    ticks = {float(x.text.replace("−", "-")): float(x.attributes["y"]) - 4 for x in numbers}
    return marks, ticks


def test_points_stand_where_the_axis_says():
    points = [Point(0.0, 0.2, 0.1, 0.3), Point(1.0, math.nan), Point(2.0, 0.8, 0.7, 0.9)]
    names = Names({0.0: "a", 1.0: "b", 2.0: "c"}, "")
    marks, ticks = places(line_panel("x", [Series("n", points, "static")], names))
    assert len(marks) == 2
    (low, y_low), *_, (high, y_high) = sorted(ticks.items())
    for (_, y), value in zip(marks, (0.2, 0.8), strict=True):
        wanted = y_low + (value - low) / (high - low) * (y_high - y_low)
        assert abs(y - wanted) < 0.2
    assert marks[0][0] < marks[1][0]


def test_names_turn_where_they_would_touch_and_none_is_markup():
    short = Names({float(i): f"s{i}" for i in range(5)}, "")
    long = Names({float(i): f"blocks.{i}.attention" for i in range(12)}, "")
    assert not short.turned and long.turned and long.room > short.room
    many = Names({float(i): f"layer {i}" for i in range(60)}, "")
    assert many.every > 1
    picture = line_panel(MARKUP, [], Names({0.0: MARKUP[:20]}, ""))
    assert str(escape(MARKUP)) in picture and MARKUP not in picture


def test_a_bar_without_numbers_is_an_empty_line():
    empty = ParsedPage(accuracy_bar(math.nan, math.nan, math.nan))
    full = ParsedPage(accuracy_bar(40.0, 35.0, 47.0, 25.0))
    classes = [[x.attributes["class"] for x in page.all("path")] for page in (empty, full)]
    assert classes == [["guide", "guide"], ["guide", "guide", "level", "reach", "dot"]]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (words.score(-0.22), "−0.220"), (words.score(-0.0001), "0.000"),
        (words.score(math.nan), "–"), (words.with_error(0.5, math.nan), "0.500"),
        (words.span(math.nan, 3.0), ""), (words.with_span(2.0, 1.0, 3.0), "2.0 % [1.0, 3.0]"),
        (words.count(1, "video"), "1 video"), (words.listed(["a", "b", "c"]), "a, b and c"),
        (words.listed("abc", 2), "a, b and 1 more"), (words.listed([]), ""),
        (words.plain({"a": [1, 2.5], "b": None, "c": True}), "a 1, 2.5, b not known, c yes"),
    ],
)  # fmt: skip
def test_numbers_in_words(found, wanted):
    assert found.replace("\N{NO-BREAK SPACE}", " ") == wanted
