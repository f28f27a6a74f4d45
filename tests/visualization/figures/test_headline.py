"""What figures show first: S_static, motion-only, content; origins and references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer

from slowfast_bias.bias import FACTORS, HEADLINE
from slowfast_bias.visualization import (
    comparison_figure,
    layer_curves,
    report_figure,
    unit_bars,
    unit_scatter,
)
from slowfast_bias.visualization.drawing import style
from slowfast_bias.visualization.figures.epochs import compare_epochs, epoch_curves


def curves_of(ax):
    """{label: (values, errors)} of the curves with error bars."""
    found = {}
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, (bars,) = container
            spans = [(x[1, 1] - x[0, 1]) / 2 if len(x) else math.nan for x in bars.get_segments()]
            found[container.get_label()] = np.asarray(line.get_ydata(), float), np.asarray(spans)
    return found


def caption_of(figure):
    return figure.get_supxlabel().replace("\N{NO-BREAK SPACE}", " ").replace("\n", " ")


def zeros_of(ax):
    return [line for line in ax.lines if line.get_gid() == "zero"]


def numbers(report, score):
    layers = report.layers.values()
    return [x.score(score) for x in layers], [x.score_error(score) for x in layers]


def test_headline_curves_are_the_reports_numbers_and_errors(moving, untrained):
    reports = {"A": moving, "B": untrained}
    for axes in (layer_curves(reports).axes, comparison_figure(reports).axes[:2]):
        for ax, score in zip(axes, HEADLINE, strict=False):
            for name, report in reports.items():
                for drawn, want in zip(curves_of(ax)[name], numbers(report, score), strict=True):
                    np.testing.assert_allclose(drawn, want, atol=1e-12)
    page = curves_of(report_figure(moving).axes[0])
    assert list(page) == list(HEADLINE)
    for score, (values, errors) in page.items():
        np.testing.assert_allclose((values, errors), numbers(moving, score), atol=1e-12)


def test_the_line_of_zero_is_in_view_and_panels_have_their_own_axes(moving, untrained):
    figure = layer_curves({"A": moving, "B": untrained})
    static, motion, content = figure.axes
    for ax in (motion, content, report_figure(moving).axes[0]):
        (line,) = zeros_of(ax)
        low, high = ax.get_ylim()
        assert low < 0 < high and set(line.get_ydata()) == {0}
    assert len({ax.get_ylim() for ax in figure.axes}) == 3
    shares = layer_curves({"A": moving}, value="percent").axes
    assert len(shares) == 2 and not any(map(zeros_of, shares))
    assert len({ax.get_ylim() for ax in shares}) == 1


def test_an_axis_is_no_magnifier_of_rounding(make_moving):
    still = make_moving({"s1": 4, "s2": 4}, frame_wise=("s1", "s2"))
    for ax in layer_curves({"A": still}).axes[:2]:
        low, high = ax.get_ylim()
        assert high - low >= 0.0999


def test_reports_without_motion_are_still_drawn(plain, moving, check_text):
    assert list(curves_of(report_figure(plain).axes[0])) == list(FACTORS)
    assert len(layer_curves({"A": plain}).axes) == 2
    mixed = comparison_figure({"new": moving, "old": plain})
    static, motion = (curves_of(ax) for ax in mixed.axes[:2])
    np.testing.assert_allclose(static["old"][0], numbers(plain, "static")[0])
    assert np.isnan(motion["old"][0]).all() and np.isfinite(motion["new"][0]).all()
    assert "measured before there was motion-only: old" in caption_of(mixed).lower()
    check_text(mixed)


def test_footers_name_the_bank_n_recordings_and_the_decoder(moving, plain):
    one = {"A": moving}
    epochs = {1: moving}
    figures = [layer_curves(one), comparison_figure(one), report_figure(moving), unit_bars(one)]
    figures += [unit_scatter(moving, "s2"), epoch_curves(epochs), compare_epochs({"a": epochs})]
    for figure in figures:
        caption = caption_of(figure)
        assert "n = 40 pairs per factor." in caption
        words = "Styles: randconv, 5 of seed 7; pairs of seed 3; 40 videos; 12 recordings;"
        assert f"{words} decoder pyav 9.9." in caption
        assert "standard error over videos" not in caption  # parts of a recording are not apart
    caption = caption_of(layer_curves({"A": plain}))
    assert "Styles" not in caption and "± 1 standard error over videos." in caption


def test_captions_say_which_motion_only_is_zero_by_construction(moving, make_moving, untrained):
    says = "Motion-only of s1 is 0 by construction: the layer sees frames one by one."
    assert says in caption_of(report_figure(moving))
    assert "by construction" not in caption_of(report_figure(untrained))
    still = make_moving({"s1": 4, "s2": 4}, frame_wise=("s1", "s2"))
    caption = caption_of(comparison_figure({"frames": still, "A": moving}))
    assert "0 by construction (frames one by one): frames." in caption


def test_references_are_thin_grey_dashed_lines_named_in_the_legend(moving, untrained, check_text):
    figures = {
        "curves": layer_curves({"A": moving, "twin": untrained}),
        "comparison": comparison_figure({"A": moving, "twin": untrained}),
        "page": report_figure(moving, {"twin": untrained}),
    }
    for name, figure in figures.items():
        for ax in figure.axes[:2] if name != "page" else figure.axes[:1]:
            lines = {c.get_label(): c[0] for c in ax.containers}
            thin = [line for label, line in lines.items() if label.startswith("twin")]
            main = [line for label, line in lines.items() if not label.startswith("twin")]
            assert len(thin) == len(main) == (3 if name == "page" else 1)
            for line in thin:
                red, green, blue = to_rgb(line.get_color())
                assert red == green == blue and line.get_linestyle() == "--"
                assert line.get_linewidth() < main[0].get_linewidth()
            assert {line.get_linestyle() for line in main} == {"-"}
        legends = [*figure.legends, *(x for sub in figure.subfigs for x in sub.legends)]
        legends += [ax.get_legend() for ax in figure.axes if ax.get_legend()]
        assert "twin" in [text.get_text() for legend in legends for text in legend.get_texts()]
        check_text(figure)
    drawn = curves_of(figures["page"].axes[0])["twin, motion"][0]
    np.testing.assert_allclose(drawn, numbers(untrained, "motion")[0])


def test_scores_of_one_panel_differ_in_grey_too():
    def lightness(color):
        linear = [
            x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(color)
        ]
        return 116 * np.dot(linear, (0.2126, 0.7152, 0.0722)) ** (1 / 3) - 16

    for scores in (HEADLINE, ("static", "look"), ("dynamic", "motion"), ("look", "motion")):
        found = sorted(lightness(style.COLORS[score]) for score in scores)
        assert min(np.diff(found)) > 12, scores
        assert len({style.MARKERS[score] for score in scores}) == len(scores)


@pytest.mark.parametrize("axes", [None, "contrasts", "paper"])
def test_a_scatter_shows_every_live_unit_by_the_scores_of_its_axes(moving, axes, check_text):
    figure = unit_scatter(moving, "s2", axes)
    (ax,) = figure.axes
    names = FACTORS if axes == "paper" else ("look", "motion")
    units = moving["s2"].units()
    assert {points.get_gid() for points in ax.collections} == set(units) - {"dead"}
    for points in ax.collections:
        chosen = units[points.get_gid()]
        want = [[moving["s2"].unit_scores(name)[i] for name in names] for i in chosen]
        np.testing.assert_allclose(points.get_offsets(), np.reshape(want, (-1, 2)))
    assert len(zeros_of(ax)) == (0 if axes == "paper" else 2)
    check_text(figure)


def test_a_scatter_of_a_report_without_motion_is_the_papers(plain):
    assert "static" in unit_scatter(plain, "s2").axes[0].get_xlabel()
    with pytest.raises(ValueError, match="take the axes 'paper'"):
        unit_scatter(plain, "s2", "contrasts")
    with pytest.raises(ValueError, match="one of contrasts, paper"):
        unit_scatter(plain, "s2", "all")
