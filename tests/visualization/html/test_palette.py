"""Colours of the page: words and marks stand out from the paper, in light and in dark."""

from __future__ import annotations

import itertools

import pytest
from support.reports import PLAIN

from slowfast_bias.bias import KINDS
from slowfast_bias.visualization.drawing.style import COLORS
from slowfast_bias.visualization.html import palette
from slowfast_bias.visualization.html.charts.svg import SHAPES


def luminance(colour):
    """Relative luminance by WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_of_contrast():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_and_marks_stand_out(theme):
    colours = palette.variables(theme)
    for name, colour in colours.items():
        if name in ("paper", "panel", "rule"):
            continue
        need = 4.5 if name in (*palette.WORDS[theme], "warn") else 3
        assert contrast(colour, colours["paper"]) >= need, name
    assert contrast(colours["ink"], colours["panel"]) >= 4.5
    assert set(palette.variables("light")) == set(palette.variables("dark"))


def test_kinds_and_scores_differ_in_shape_and_keep_their_colours():
    shown = [kind for kind in KINDS if kind != "dead"]
    for group in (shown, ("static", "motion", "content")):
        shapes = [palette.MARKERS[x] for x in group]
        assert len(set(shapes)) == len(shapes) and set(shapes) <= set(SHAPES)
    for a, b in itertools.combinations(shown, 2):
        for theme in palette.MARKS.values():
            assert theme[a] != theme[b]
    assert palette.MARKS["light"]["static"] == COLORS["static"]
    assert palette.MARKS["light"]["dynamic"] == COLORS["dynamic"]


def test_networks_have_looks_and_references_are_grey():
    looks = palette.network_looks({**dict.fromkeys(PLAIN, False), "untrained": True})
    assert looks["untrained"] == "reference"
    assert len(set(looks.values())) == len(PLAIN) + 1
    assert all(palette.MARKERS[look] in SHAPES for look in looks.values())
