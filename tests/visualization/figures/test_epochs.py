"""Bias over training: every epoch of every shown layer, and only what belongs together."""

from __future__ import annotations

import numpy as np
import pytest

from slowfast_bias.bias import FACTORS
from slowfast_bias.visualization import save_figure
from slowfast_bias.visualization.figures.epochs import compare_epochs, epoch_curves
from slowfast_bias.visualization.reading.epoch_files import read_epochs

LAYERS = {"s1": 4, "s2/0": 6, "s2/1": 3, "head": 8}
DEEP = {f"blocks.{i}.attn": 3 for i in range(16)} | {"head": 3}


@pytest.fixture(scope="module")
def run(make_report):
    return {epoch: make_report(LAYERS, seed=epoch) for epoch in (3, 0, 1, 2)}


@pytest.fixture(scope="module")
def deep(make_report):
    return {epoch: make_report(DEEP, seed=epoch) for epoch in (5, 10)}


def lines_of(ax):
    """{gid: line} of the curves drawn."""
    found = {line.get_gid(): line for line in ax.lines}
    return {gid: x for gid, x in found.items() if gid != "zero" and not gid.endswith(" bar")}


def band_of(ax, gid):
    """(low, high) at each x of the line's band."""
    (band,) = (c for c in ax.collections if c.get_gid() == f"{gid} band")
    points = band.get_paths()[0].vertices
    xs = sorted(set(points[:, 0]))
    return [(points[points[:, 0] == x, 1].min(), points[points[:, 0] == x, 1].max()) for x in xs]


@pytest.mark.parametrize("value", ["percent", "score"])
def test_every_layer_is_drawn_in_its_stages_panel_with_its_error(run, value):
    axes = epoch_curves(run, value=value).axes
    assert [ax.get_title() for ax in axes] == ["s1", "s2", "head"]
    drawn = {gid: (ax, line) for ax in axes for gid, line in lines_of(ax).items()}
    assert set(drawn) == {f"{f}|{layer}" for f in FACTORS for layer in LAYERS}
    for gid, (ax, line) in drawn.items():
        factor, layer = gid.split("|")
        biases = [run[epoch][layer] for epoch in range(4)]
        want = [b.percent()[factor] if value == "percent" else b.score(factor) for b in biases]
        errors = [(b.stderr["percent"] if value == "percent" else b.stderr)[factor] for b in biases]
        np.testing.assert_allclose(line.get_xdata(), range(4))
        np.testing.assert_allclose(line.get_ydata(), want)
        ends = np.add.outer(want, [0, 0]) + np.outer(errors, [-1, 1])
        np.testing.assert_allclose(band_of(ax, gid), ends)


def test_chosen_layers_are_shown_and_a_stage_means_its_pathways(run, deep):
    (ax,) = epoch_curves(run, ["s2"]).axes
    assert {gid.split("|")[1] for gid in lines_of(ax)} == {"s2/0", "s2/1"}
    assert lines_of(ax)["static|s2/1"].get_linestyle() == "--"
    figure = epoch_curves(deep)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 6 and titles[0] == "blocks.0.attn" and titles[-1] == "head"
    assert "6 of 17 layers" in figure.get_supxlabel()


def test_several_runs_are_lines_of_one_panel_per_factor(run, deep):
    axes = compare_epochs({"a": run, "b": deep}, value="percent").axes
    for ax, factor in zip(axes, FACTORS, strict=True):
        drawn = lines_of(ax)
        assert set(drawn) == {"a|head", "b|head"}
        want = [deep[epoch]["head"].percent()[factor] for epoch in (5, 10)]
        np.testing.assert_allclose(drawn["b|head"].get_ydata(), want)
        assert list(drawn["b|head"].get_xdata()) == [5, 10]
    one = compare_epochs({"a": run, "b": run}, layer="s1")
    assert set(lines_of(one.axes[0])) == {"a|s1", "b|s1"}


def test_one_epoch_shows_its_error_as_a_bar_and_a_dead_layer_leaves_a_gap(run, make_report):
    ax = epoch_curves({1: run[1]}, ["s1"], "percent").axes[0]
    (bar,) = (line for line in ax.lines if line.get_gid() == "static|s1 bar")
    bias = run[1]["s1"]
    share, error = bias.percent()["static"], bias.stderr["percent"]["static"]
    np.testing.assert_allclose(bar.get_ydata(), [share - error, share + error])
    dead = {1: run[1], 2: make_report(LAYERS, dead={"s1": 4}), 3: run[3]}
    y = lines_of(epoch_curves(dead, ["s1"]).axes[0])["static|s1"].get_ydata()
    assert np.isnan(y).tolist() == [False, True, False]


def test_the_caption_says_what_epoch_0_is_and_each_warning_once(run, make_report):
    assert "Epoch 0: untrained." in epoch_curves(run).get_supxlabel()
    mixed = {epoch: run[epoch] for epoch in (1, 2)} | {3: make_report(LAYERS, dead={"s1": 4})}
    caption = epoch_curves(mixed).get_supxlabel().replace("\n", " ")
    assert "Epoch 0" not in caption and caption.count("fewer than 500") == 1
    assert "all 4 units of s1 are dead: its scores are NaN (in 1 of 3 epochs)" in caption
    other = {1: run[1], 2: make_report(LAYERS, statistic="pooled")}
    assert "epochs differ in statistic" in epoch_curves(other).get_supxlabel().replace("\n", " ")


def test_a_runs_folder_or_its_bias_folder_is_read_in_order_of_epochs(run, tmp_path):
    for epoch, report in run.items():
        report.save(tmp_path / "bias" / f"epoch_{epoch:05d}.json")
    run[1].save(tmp_path / "bias" / "report.json")
    for folder in (tmp_path, tmp_path / "bias", f"{tmp_path}/"):
        found = read_epochs(str(folder))
        assert list(found) == [0, 1, 2, 3]
        assert found[2]["head"].score("static") == run[2]["head"].score("static")


def test_errors_say_what_would_do(run, deep, plain, tmp_path):
    with pytest.raises(ValueError, match="BIAS.ENABLE True"):
        read_epochs(str(tmp_path))
    with pytest.raises(ValueError, match="give an OUTPUT_DIR"):
        read_epochs(str(tmp_path / "none"))
    with pytest.raises(ValueError, match="at least one report"):
        epoch_curves({})
    with pytest.raises(ValueError, match="at least one run"):
        compare_epochs({})
    with pytest.raises(ValueError, match="keys of the reports, but got 'a'"):
        epoch_curves({"a": plain})
    with pytest.raises(ValueError, match="same layers in every epoch, but epoch 1"):
        epoch_curves({1: run[1], 2: plain})
    with pytest.raises(ValueError, match="'s9'.*it has s1, s2/0"):
        epoch_curves(run, ["s9"])
    with pytest.raises(ValueError, match="^b: .*'s1'"):
        compare_epochs({"a": run, "b": deep}, layer="s1")
    with pytest.raises(ValueError, match="'percent' or 'score'"):
        epoch_curves(run, value="share")


def test_text_is_clear_and_the_same_epochs_give_the_same_bytes(run, deep, check_text, tmp_path):
    names = ["short", "SLOW_8x8_R50_kinetics_static_dropout_0.3_finetuned", "y" * 80]
    long = {epoch: run[1] for epoch in range(0, 200)}
    runs = dict(zip(names, (run, deep, long), strict=True))
    some = [f"blocks.{i}.attn" for i in range(7)]  # two rows of panels
    figures = [epoch_curves(run), epoch_curves(deep, some), epoch_curves(long, ["head"])]
    for figure in [*figures, compare_epochs(runs), epoch_curves({7: run[1]}, ["s1"])]:
        check_text(figure)
    for i in range(2):
        save_figure(epoch_curves(run, ["s2"]), tmp_path / f"{i}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.fixture(scope="module")
def moving_run(make_moving):
    return {epoch: make_moving(LAYERS, seed=epoch, frame_wise=("s1",)) for epoch in (1, 2, 3)}


def test_motion_only_of_each_stage_has_its_own_panel_and_one_axis_with_zero(moving_run):
    axes = epoch_curves(moving_run).axes
    above, below = axes[:3], axes[3:]
    for lane, scores in ((above, {"static", "content"}), (below, {"motion"})):
        assert {gid.split("|")[0] for ax in lane for gid in lines_of(ax)} == scores
        assert len({ax.get_ylim() for ax in lane}) == 1
    for ax, layer in zip(below, ("s1", "s2/1", "head"), strict=True):
        line = lines_of(ax)[f"motion|{layer}"]
        want = [report[layer].score("motion") for report in moving_run.values()]
        np.testing.assert_allclose(line.get_ydata(), want)
        assert [x.get_gid() for x in ax.lines].count("zero") == 1
    shares = epoch_curves(moving_run, value="percent").axes
    assert len(shares) == 3 and "static|s1" in lines_of(shares[0])


def test_runs_are_compared_by_score_each_panel_with_its_own_axis(moving_run, run):
    axes = compare_epochs({"a": moving_run, "old": run}).axes
    assert [ax.get_title() for ax in axes][1:] == ["motion-only", "content"]
    assert len({ax.get_ylim() for ax in axes}) == 3
    want = [report["head"].score("motion") for report in moving_run.values()]
    np.testing.assert_allclose(lines_of(axes[1])["a|head"].get_ydata(), want)
    assert np.isnan(lines_of(axes[1])["old|head"].get_ydata()).all()


def test_text_of_scores_with_motion_is_clear(moving_run, run, check_text):
    for figure in (epoch_curves(moving_run), compare_epochs({"a": moving_run, "b": run})):
        check_text(figure)
