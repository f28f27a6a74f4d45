"""The battery's figure: every number is where it belongs, and text can be read."""

from __future__ import annotations

import copy
import math

import pytest

from slowfast_bias.visualization import save_figure
from slowfast_bias.visualization.figures.battery import battery_figure, compare_batteries

LEVELS = {
    "ordered": 98.0, "shuffled": 30.0, "windows2": 70.0, "windows4": 40.0, "reversed": 2.0,
    "frozen": 26.0, "best_frame": 60.0, "frames1": 26.0, "frames2": 28.0, "frames16": 71.0,
    "styled": 90.0, "look0": 88.0, "look1": 92.0,
}  # fmt: skip
LONG = "SLOW_8x8_R50_kinetics_static_dropout_0.3_finetuned"


def span(level, half=4.0):
    return [max(level - half, 0), min(level + half, 100)]


def battery(lists=(), partners=False, shift=0.0):
    def entry(level):
        return {"accuracy": level - shift, "interval": span(level - shift)}

    data = {
        "videos": 128, "recordings": 128, "classes": 4, "labelled": True, "orders": 3,
        "class_names": {}, "lists": {}, "partners": None, "benchmarks": {},
        "variants": {name: entry(level) for name, level in LEVELS.items()},
        "divergence": {
            "reversed": {"mean": 8.0 - shift, "interval": [7.5 - shift, 8.5], "median": 8.1},
            "shuffled": {"mean": 2.5, "interval": [2.2, 2.8], "median": 2.4},
        },
        "meta": {"styles": {"family": "grade", "num": 2, "seed": 7}, "seed": 0, "videos": 128},
    }  # fmt: skip
    data["variants"]["best_frame"] |= {"frames": 8, "guess": 90.0}
    for name in lists:
        kinds = ("ordered", "shuffled", "reversed", "frozen", "styled")
        data["lists"][name] = {"videos": 9, "variants": {k: entry(LEVELS[k]) for k in kinds}}
    if partners:
        data["partners"] = {"rate": 95.0, "interval": span(95.0), "videos": 99, "pairs": []}
    return data


def marks(figure):
    """{gid: (x of the mark, ends of its interval, row)}."""
    lines = {x.get_gid(): x for ax in figure.axes for x in ax.lines if x.get_gid()}
    return {
        gid: (line.get_xdata()[0], list(lines[f"{gid} interval"].get_xdata()), line.get_ydata()[0])
        for gid, line in lines.items()
        if f"{gid} interval" in lines
    }


def rows(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_every_accuracy_and_divergence_has_its_mark_and_interval():
    data = battery(lists=("k400_temporal",), partners=True)
    figure = battery_figure(data)
    found = marks(figure)
    for name, entry in data["variants"].items():
        if name != "frames1":  # it is the frozen clip
            assert found[f"|{name}"][:2] == (entry["accuracy"], entry["interval"])
    assert found["|partners"][:2] == (95.0, span(95.0))
    for name, entry in data["divergence"].items():
        assert found[f"|divergence {name}"][:2] == (entry["mean"], entry["interval"])
    for name, entry in data["lists"]["k400_temporal"]["variants"].items():
        assert found[f"k400_temporal|{name}"][:2] == (entry["accuracy"], entry["interval"])
    accuracies, outputs, lists = figure.axes
    assert rows(outputs) == ["frames shuffled", "reversed"] and rows(lists) == ["k400_temporal"]
    named = dict(zip(rows(accuracies), range(20), strict=False))
    assert named["as filmed"] == found["|ordered"][2]
    assert named["shuffled within windows of 4"] == found["|windows4"][2]
    assert named["16 frames, held"] == found["|frames16"][2]
    assert named["reversed, named the partner"] == found["|partners"][2] == 12
    chance = [line.get_xdata()[0] for line in accuracies.lines if line.get_gid() == "chance"]
    assert chance == [25]
    caption = figure.get_supxlabel().replace("\n", " ")
    (guess,) = [line for line in accuracies.lines if line.get_gid() == "guess"]
    assert list(guess.get_xdata()) == [90.0] * 2
    low, high = guess.get_ydata()
    assert low < named["best single frame (upper bound)"] < high < low + 1
    assert "guessing each of 8 gives 90.0 %" in caption
    assert "mean over 3 random orders" in caption and "grade, 2 of seed 7" in caption


def test_runs_are_told_apart_in_every_row():
    runs = {"motion": battery(), LONG: battery(shift=1.0, partners=True)}
    found = marks(compare_batteries(runs))
    for name in ("ordered", "look1"):
        (a, _, up), (b, _, down) = (found[f"{run}|{name}"] for run in runs)
        assert a - b == pytest.approx(1.0) and 0 < down - up < 1
    assert f"{LONG}|partners" in found and math.isnan(found["motion|partners"][0])


def test_without_labels_there_are_divergences_alone():
    data = battery()
    for entry in data["variants"].values():
        entry |= {"accuracy": None, "interval": [None, None]}
    figure = battery_figure({**data, "labelled": False})
    (ax,) = figure.axes
    assert rows(ax) == ["frames shuffled", "reversed"]
    assert "Without labels" in figure.get_supxlabel()


def test_text_is_clear(check_text):
    many = {"a": battery(partners=True), LONG: battery(shift=2.0), "c" * 70: battery(shift=5.0)}
    lists = ("k400_temporal", "k400_static", f"{LONG}/debiased-balanced")
    for figure in (
        battery_figure(battery()),
        battery_figure(battery(lists)),
        compare_batteries(many),
    ):
        check_text(figure)


def test_the_same_numbers_give_the_same_bytes_and_stay_as_they_were(tmp_path):
    data = battery(lists=("a",), partners=True)
    before = copy.deepcopy(data)
    for name in ("a.png", "b.png"):
        save_figure(battery_figure(data), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert data == before


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="at least one run"):
        compare_batteries({})
    with pytest.raises(ValueError, match=r"bias/battery.json for 'a', but it has no divergence"):
        compare_batteries({"a": {"variants": {}}})
