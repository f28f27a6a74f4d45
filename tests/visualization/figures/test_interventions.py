"""Silenced units, frames out of order, and doses of dropout: what is drawn is what was given."""

from __future__ import annotations

import copy
import statistics

import numpy as np
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer

from slowfast_bias.visualization import save_figure
from slowfast_bias.visualization.figures.dose import PANELS, dose_figure, dose_table
from slowfast_bias.visualization.figures.frame_orders import ORDERS, order_bars
from slowfast_bias.visualization.figures.silencing import ablation_figure, compare_ablations

LONG = "SLOW_8x8_R50_kinetics_static_dropout_0.3_finetuned"


def ablation(layer="s5", seeds=3):
    data = {"format": 1, "meta": {"classes": 4}, "layer": layer, "channels": 64, "curves": {}}
    for order, slope in (("static", 30), ("dynamic", 90), ("random", 60)):
        points = data["curves"][order] = []
        for fraction in (0.0, 0.1, 0.2, 0.4):
            top = 97 - slope * fraction
            point = {"fraction": fraction, "units": round(64 * fraction), "accuracy": top}
            point["interval"] = [top - 6, top + 2]
            if order == "random":
                point |= {"spread": 20 * fraction, "seeds": [top] * seeds}
            points.append(point)
    return data


def orders(ordered=100.0, shuffled=26.0):
    levels = dict(zip(ORDERS, (ordered, shuffled, 0.0, 25.0), strict=True))
    data = {"videos": 400, "orders": 5, "relative_drop": 100 * (1 - shuffled / max(ordered, 1))}
    data["relative_drop_interval"] = [data["relative_drop"] - 3.4, data["relative_drop"] + 2]
    for order, level in levels.items():
        ends = [max(level - 4, 0), min(level + 4, 100)]
        data[order] = {"accuracy": level, "interval": ends, "per_class": {"0": level}}
    return data


def sweep(seeds=3):
    rows = []
    for seed in range(seeds):
        base = {"seed": seed, "ordered": 100.0, "dynamic_ratio": 0.4 + 0.01 * seed}
        base |= {"dynamic_share": 0.5 + 0.02 * seed**2, "top_k": {"2 least common %": 40.0 + seed}}
        base |= {"shuffled": 98.0 - seed**2, "cue_motion": 45.0 + 2 * seed, "temperature": 1.0}
        rows.append({**base, "kind": "none", "rate": None})
        for rate in (0.1, 0.3, 0.7):
            rows.append({**base, "kind": "standard", "rate": rate})
            for t in (1.0, 0.1):
                lower = {"shuffled": 97 - 20 * rate - seed**2, "temperature": t}
                rows.append({**base, **lower, "kind": "static", "rate": rate})
    return rows


def test_silenced_units_are_lines_with_bands_over_the_share_of_units():
    data = ablation()
    (ax,) = ablation_figure(data).axes
    lines = {line.get_gid(): line for line in ax.lines if line.get_gid() in data["curves"]}
    bands = {c.get_gid(): c.get_paths()[0].vertices for c in ax.collections if c.get_gid()}
    assert set(lines) == set(data["curves"])
    for order, points in data["curves"].items():
        np.testing.assert_allclose(lines[order].get_xdata(), [100 * p["fraction"] for p in points])
        np.testing.assert_allclose(lines[order].get_ydata(), [p["accuracy"] for p in points])
        for p in points:
            ys = bands[f"{order} band"]
            ys = ys[np.isclose(ys[:, 0], 100 * p["fraction"]), 1]
            np.testing.assert_allclose([ys.min(), ys.max()], p["interval"])
    (spread,) = (c for c in ax.containers if isinstance(c, ErrorbarContainer))
    spans = [np.ptp(x[:, 1]) / 2 for x in spread[2][0].get_segments()]
    np.testing.assert_allclose(spans, [0, 2, 4, 8])


def test_the_chance_line_is_there_only_where_the_classes_are_known():
    def chance(data):
        return [
            line.get_ydata()[0]
            for line in ablation_figure(data).axes[0].lines
            if line.get_gid() == "chance"
        ]

    data = ablation()
    assert chance(data) == [25]
    assert chance({**data, "meta": {}}) == []


def test_each_ablation_has_its_panel_and_its_layer():
    figure = compare_ablations({"a": ablation(), LONG: ablation("s5/1"), "c": ablation()})
    assert [ax.get_title().replace("\n", "") for ax in figure.axes] == ["a", LONG, "c"]
    assert "s5/1 (% of 64)" in figure.axes[1].get_xlabel()
    assert "mean over 3 seeds" in figure.get_supxlabel()


def test_an_ablation_says_by_which_bank_its_units_are_ranked_and_on_what_it_is_tested():
    meta = {"styles": {"family": "colour", "num": 4, "seed": 0}, "seed": 2, "videos": 9}
    caption = ablation_figure({**ablation(), "meta": meta}).get_supxlabel().replace("\n", " ")
    assert "Units ranked with styles: colour, 4 of seed 0; pairs of seed 2." in caption
    assert "Tested on 9 videos." in caption


def test_an_ablation_of_masks_says_which_pairs_and_counts_frames():
    meta = {"seed": 2, "videos": 9, "recordings": 3, "pairs_made": "flow_swap"}
    caption = ablation_figure({**ablation(), "meta": meta}).get_supxlabel().replace("\n", " ")
    assert "Units ranked with pairs flow_swap of seed 2." in caption
    assert "Tested on 9 frames; 3 sequences." in caption


def test_order_bars_show_accuracies_intervals_and_the_drop():
    runs = {"motion": orders(), "texture": orders(99.0, 98.0)}
    (ax,) = order_bars(runs).axes
    bars = {c.get_label(): c.patches for c in ax.containers if isinstance(c, BarContainer)}
    for order in ORDERS:
        want = [data[order] for data in runs.values()]
        assert [p.get_height() for p in bars[order]] == [x["accuracy"] for x in want]
        ends = [list(x.get_ydata()) for x in ax.lines if x.get_gid() == f"{order} interval"]
        assert ends == [x["interval"] for x in want]
    names = [text.get_text() for text in ax.get_xticklabels()]
    assert names[0] == "motion\ndrop 74 %\n[71, 76]" and names[1].startswith("texture\ndrop 1 %")


def test_the_chance_line_of_orders_spans_the_group_whose_classes_are_known():
    runs = {"a": {**orders(), "classes": 4}, "b": orders(), "c": {**orders(), "classes": 10}}
    figure = order_bars(runs)
    lines = [line for line in figure.axes[0].lines if line.get_gid() == "chance"]
    assert [list(line.get_ydata()) for line in lines] == [[25, 25], [10, 10]]
    assert [list(line.get_xdata()) for line in lines] == [[-0.5, 0.5], [1.5, 2.5]]
    (legend,) = figure.legends
    assert "chance" in [text.get_text() for text in legend.get_texts()]
    (legend,) = order_bars({"b": orders()}).legends
    assert "chance" not in [text.get_text() for text in legend.get_texts()]


def test_a_drop_that_has_no_answer_is_a_dash():
    data = {**orders(0.0, 0.0), "relative_drop": None, "relative_drop_interval": [None, None]}
    (label,) = order_bars({"a": data}).axes[0].get_xticklabels()
    assert "drop: -" in label.get_text() and "nan" not in label.get_text()


def test_doses_are_means_with_deviations_and_every_seed_as_a_dot():
    rows = sweep()
    axes = dose_figure(rows).axes
    assert len(axes) == len(PANELS)
    for ax, key in zip(axes, PANELS, strict=True):
        drawn = {c.get_label(): c for c in ax.containers if isinstance(c, ErrorbarContainer)}
        dots = {c.get_gid(): c.get_offsets() for c in ax.collections if c.get_gid()}
        groups = {"standard|-": ("standard", 1.0), "static|0.1": ("static", 0.1)}
        for name, (kind, temperature) in groups.items():
            values = [
                [r[key] for r in rows if (r["kind"], r["rate"], r["temperature"]) == want]
                for want in ((kind, rate, temperature) for rate in (0.1, 0.3, 0.7))
            ]
            line, _, (bars,) = drawn[f"{key}|{name}"]
            np.testing.assert_allclose(line.get_xdata(orig=False), [0.1, 0.3, 0.7], atol=0.02)
            np.testing.assert_allclose(line.get_ydata(False), [statistics.fmean(v) for v in values])
            spans = [np.ptp(x[:, 1]) / 2 for x in bars.get_segments()]
            np.testing.assert_allclose(spans, [statistics.stdev(v) for v in values])
            np.testing.assert_allclose(dots[f"{key}|{name} seeds"][:, 1], np.concatenate(values))
        none = [row[key] for row in rows if row["kind"] == "none"]
        (level,) = (x.get_ydata()[0] for x in ax.lines if x.get_gid() == f"{key}|none")
        assert level == pytest.approx(statistics.fmean(none))
    ordered = [c.get_label() for c in axes[0].containers if c.get_label().startswith("ordered|")]
    assert ordered == ["ordered|standard|-", "ordered|static|0.1", "ordered|static|1"]


def test_a_panel_without_numbers_is_left_out_and_a_sweep_may_have_just_begun(check_text):
    rows = [{**row, "cue_motion": None, "dynamic_share": float("nan")} for row in sweep(1)]
    figure = dose_figure(rows)
    assert len(figure.axes) == 2 and "One seed each" in figure.get_supxlabel()
    check_text(dose_figure(rows[:1]))
    assert "follows motion" not in dose_table(rows)


def test_the_table_holds_means_and_deviations_over_seeds():
    head, _, *lines = dose_table(sweep()).splitlines()
    names = [cell.strip() for cell in head.strip("|").split("|")]
    table = [dict(zip(names, map(str.strip, x.strip("|").split("|")), strict=True)) for x in lines]
    settings = [(row["dropout"], row["temperature"], row["rate"]) for row in table]
    rates = ("0.1", "0.3", "0.7")
    assert settings == [("none", "-", "-")] + [
        (kind, t, rate)
        for kind, t in (("standard", "-"), ("static", "0.1"), ("static", "1"))
        for rate in rates
    ]
    shuffled = [97 - 20 * 0.3 - seed**2 for seed in range(3)]
    row = table[settings.index(("static", "0.1", "0.3"))]
    mean, sd = statistics.fmean(shuffled), statistics.stdev(shuffled)
    assert row["shuffled %"] == f"{mean:.1f} ± {sd:.1f}" and row["seeds"] == "3"
    assert row["2 least common %"] == "41.0 ± 1.0"
    assert "±" not in dose_table(sweep(1)) and "nan" not in dose_table(sweep(1))


def test_text_is_clear(check_text):
    many = {f"{LONG}{i}": ablation("s5.pathway0_res2.branch2.c") for i in range(4)}
    figures = [ablation_figure(ablation()), compare_ablations(many), order_bars({"a": orders()})]
    figures += [order_bars({"a": orders(), LONG: orders(99.0, 98.5), "y" * 80: orders(70.0, 60.0)})]
    for figure in [*figures, dose_figure(sweep())]:
        check_text(figure)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ablation_figure(ablation()),
        lambda: order_bars({"a": orders()}),
        lambda: dose_figure(sweep(1)),
    ],
)
def test_the_same_numbers_give_the_same_bytes(make, tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(make(), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_is_given_stays_as_it_was():
    given = ablation(), {"a": orders()}, sweep()
    before = copy.deepcopy(given)
    for draw, data in zip((ablation_figure, order_bars, dose_figure), given, strict=True):
        draw(data)
    dose_table(given[2])
    assert given == before


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="at least one ablation"):
        compare_ablations({})
    with pytest.raises(ValueError, match=r"bias/ablation.json.*but got \['videos'\]"):
        ablation_figure({"videos": 3})
    with pytest.raises(ValueError, match="curve 'static' has others"):
        ablation_figure({**ablation(), "curves": {"static": [{"k": 3}]}})
    with pytest.raises(ValueError, match="at least one run"):
        order_bars({})
    with pytest.raises(ValueError, match="no accuracy for frozen"):
        order_bars({"a": {k: v for k, v in orders().items() if k != "frozen"}})
    row = sweep(1)[1]
    for change, message in (
        ({"kind": "spatial"}, "none, standard, static, but got 'spatial'"),
        ({"rate": None}, "a rate for dropout of kind 'standard'"),
        ({"kind": "static", "temperature": None}, "a temperature"),
    ):
        with pytest.raises(ValueError, match=message):
            dose_table([{**row, **change}])
    with pytest.raises(ValueError, match="at least one row"):
        dose_figure([])
    with pytest.raises(ValueError, match="came twice"):
        dose_figure([row, {**row, "temperature": 0.1}])
    with pytest.raises(ValueError, match="a number in some row"):
        dose_figure([{"kind": "none", "rate": None, "seed": 0}])
