"""Figures show the report's numbers, each once, and leave matplotlib as they found it."""

from __future__ import annotations

import os

import matplotlib
import numpy as np
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer

from slowfast_bias.bias import FACTORS
from slowfast_bias.visualization import (
    comparison_figure,
    layer_curves,
    report_figure,
    unit_bars,
    unit_scatter,
)
from slowfast_bias.visualization.drawing.captions import wrap_name


def curves_of(ax):
    """{(model, layer): (value, error)} as drawn; a layer drawn twice is an error."""
    found = {}
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, (bars,) = container
            ends = [x[:, 1] if len(x) else (0, np.nan) for x in bars.get_segments()]
            spans = [(high - low) / 2 for low, high in ends]
            layers = line.get_gid().split("|")
            for layer, y, error in zip(layers, line.get_ydata(), spans, strict=True):
                assert (container.get_label(), layer) not in found
                found[container.get_label(), layer] = y, error
    return found


def bars_of(ax):
    """{kind: heights} as drawn."""
    bars = [c for c in ax.containers if isinstance(c, BarContainer)]
    return {c.get_label(): [p.get_height() for p in c.patches] for c in bars}


def caption_of(figure):
    return figure.get_supxlabel().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("value", ["percent", "score"])
def test_curves_show_every_layer_of_every_model_once_with_its_error(plain, pathways, value):
    reports = {"A": plain, "B": pathways}
    figure = layer_curves(reports, value=value)
    for ax, factor in zip(figure.axes, FACTORS, strict=True):
        drawn = curves_of(ax)
        assert set(drawn) == {(n, layer) for n, r in reports.items() for layer in r.layers}
        for (name, layer), (y, error) in drawn.items():
            bias = reports[name][layer]
            want = bias.percent()[factor] if value == "percent" else bias.score(factor)
            errors = bias.stderr["percent"] if value == "percent" else bias.stderr
            assert y == pytest.approx(want) and error == pytest.approx(errors[factor])
            assert error > 0


def test_layers_of_one_list_keep_their_names_and_of_several_share_a_relative_depth(plain, blocks):
    named = layer_curves({"A": plain}).axes[0]
    assert [t.get_text() for t in named.get_xticklabels()] == list(plain.layers)
    mixed = layer_curves({"A": plain, "B": blocks}).axes[0]
    assert "relative" in mixed.get_xlabel()
    for container in mixed.containers:
        x = container[0].get_xdata()
        assert x[0] == 0 and x[-1] == 1 and (np.diff(x) > 0).all()


def test_scores_that_are_nan_leave_a_gap(broken):
    drawn = curves_of(layer_curves({"A": broken}).axes[0])
    assert np.isnan(drawn["A", "s1"][0]) and np.isfinite(drawn["A", "s2"][0])


def test_kinds_stack_to_one_hundred_and_equal_the_report(plain, pathways, broken):
    reports = {"A": plain, "B": pathways, "C": broken}
    for ax, report in zip(unit_bars(reports).axes, reports.values(), strict=True):
        bars = bars_of(ax)
        np.testing.assert_allclose(np.sum(list(bars.values()), 0), 100)
        for i, layer in enumerate(report.layers.values()):
            for kind, units in layer.units().items():
                height = bars.get(kind, [0] * len(report.layers))[i]
                assert height == pytest.approx(100 * len(units) / layer.channels)


def test_dead_units_are_hatched_and_named_only_where_there_are_any(plain, broken):
    assert "dead" not in bars_of(unit_bars({"A": plain}).axes[0])
    ax = unit_bars({"A": broken}).axes[0]
    dead = next(c for c in ax.containers if c.get_label() == "dead")
    assert all(patch.get_hatch() for patch in dead.patches)


def test_bars_never_overlap(pathways, blocks):
    for report in (pathways, blocks):
        first = unit_bars({"A": report}).axes[0].containers[0]
        spans = [(p.get_x(), p.get_x() + p.get_width()) for p in first.patches]
        assert len(spans) == len(report.layers)
        assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))


def test_scatter_counts_and_colours_every_live_unit(broken):
    ax = unit_scatter(broken, "s3").axes[0]
    units = broken["s3"].units()
    for points in ax.collections:
        kind = points.get_label()
        want = [[broken["s3"].unit_scores(f)[i] for f in FACTORS] for i in units[kind]]
        np.testing.assert_allclose(points.get_offsets(), np.reshape(want, (-1, 2)))
    written = {text.get_gid(): text.get_text() for text in ax.texts}
    assert all(f"\n{len(units[kind])} (" in written[kind] for kind in written) and len(written) == 4
    thresholds = [line for line in ax.lines if line.get_gid() == "threshold"]
    assert len(thresholds) == 2 and "5 dead units" in caption_of(ax.figure)


def test_a_page_shows_scores_shares_and_kinds_over_the_same_layers(pathways):
    scores, shares, units = report_figure(pathways).axes
    assert len(curves_of(scores)) == len(curves_of(shares)) == 2 * len(pathways.layers)
    for (factor, layer), (y, _) in curves_of(scores).items():
        assert y == pytest.approx(pathways[layer].score(factor))
    assert {len(x) for x in bars_of(units).values()} == {len(pathways.layers)}
    names = [text.get_text() for text in units.get_xticklabels()]
    assert names == list(pathways.layers)


def test_a_comparison_shows_both_factors_and_the_units_of_the_last_stage(plain, broken):
    static, dynamic, bars = comparison_figure({"A": plain, "B": broken}, "percent").axes
    for ax, factor in ((static, "static"), (dynamic, "dynamic")):
        assert curves_of(ax)["A", "s2"][0] == pytest.approx(plain["s2"].percent()[factor])
    widths = {c.get_label(): [p.get_width() for p in c.patches] for c in bars.containers}
    np.testing.assert_allclose(np.sum(list(widths.values()), 0), 100)
    assert [t.get_text() for t in bars.get_yticklabels()] == ["A", "B"]


def test_the_caption_says_pairs_and_warnings_and_whose_they_are(plain, broken):
    assert caption_of(layer_curves({"A": plain})).startswith("n = 40 pairs per factor.")
    caption = caption_of(unit_bars({"A": plain, "B": broken}))
    assert "! fewer than 500 pairs (40)" in caption and "! B: all 8 units of s1 are dead" in caption


@pytest.mark.parametrize("name", ["short", "a_name/with-many_parts " * 3, "x" * 90, ""])
def test_a_name_fits_its_lines(name):
    rows = wrap_name(name, 12, 2).split("\n")
    assert len(rows) <= 2 and max(map(len, rows)) <= 12


def test_text_neither_overlaps_nor_leaves_the_page(plain, pathways, blocks, broken, check_text):
    names = ["short", "SLOW_8x8_R50_kinetics_static_dropout_0.3_finetuned", "y" * 80, "four"]
    reports = dict(zip(names, (plain, pathways, blocks, broken), strict=True))
    figures = [f(reports) for f in (layer_curves, unit_bars, comparison_figure)]
    for figure in [*figures, report_figure(blocks), report_figure(pathways)]:
        check_text(figure)


def test_errors_say_what_would_do(plain):
    with pytest.raises(ValueError, match="at least one report"):
        layer_curves({})
    with pytest.raises(ValueError, match=r"\{name: report\}"):
        unit_bars(plain)
    with pytest.raises(ValueError, match="'percent' or 'score'"):
        layer_curves({"A": plain}, value="share")
    with pytest.raises(ValueError, match="value='score'"):
        layer_curves({"A": plain}, ["camera"], "percent")
    with pytest.raises(KeyError, match="s9"):
        unit_scatter(plain, "s9")


def test_matplotlib_is_left_as_it_was(plain, tmp_path, run_python):
    plain.save(tmp_path / "a.json")
    run_python(
        """import sys, matplotlib
before = dict(matplotlib.rcParams.copy())
from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization import report_figure, save_figure
save_figure(report_figure(BiasReport.load(sys.argv[1])), sys.argv[2])
assert dict(matplotlib.rcParams.copy()) == before
assert "matplotlib.pyplot" not in sys.modules""",
        tmp_path / "a.json",
        tmp_path / "a.png",
    )


ON_MAIN = pytest.mark.skipif("SLOWFAST_MAIN" in os.environ, reason="SlowFast main imports it")


@pytest.mark.parametrize(
    "name",
    ["slowfast_bias", pytest.param("slowfast_bias.engine", marks=[pytest.mark.host, ON_MAIN])],
)
def test_matplotlib_is_not_imported_before_something_is_drawn(name, run_python):
    run_python(f"import sys, {name}; assert 'matplotlib' not in sys.modules")


def test_the_callers_style_does_not_show(plain):
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        styled = layer_curves({"A": plain})
        assert matplotlib.rcParams["font.size"] == 30
    size = layer_curves({"A": plain}).axes[0].yaxis.label.get_fontsize()
    assert styled.axes[0].yaxis.label.get_fontsize() == size == 8
