"""Networks by kind: which column a report stands in, and where its layers stand in it."""

from __future__ import annotations

import math

import pytest
from support.reports import report_with_motion, text_is_clear

from slowfast_bias import cli
from slowfast_bias.errors import RequestError
from slowfast_bias.models import families
from slowfast_bias.visualization.drawing.block_axis import BlockAxis, numbered
from slowfast_bias.visualization.figures.group_panels import group_panels
from slowfast_bias.visualization.reading.groups import GROUPS, OTHERS, group_of, grouped

STAGES = {"s1": 4, "s2": 4, "s5": 4, "head": 4}
PATHS = {"s1/0": 4, "s1/1": 4, "s5/0": 4, "s5/1": 4, "head": 4}


def blocks(count, prefix="blocks"):
    return {f"{prefix}.{i}": 4 for i in range(count)} | {"head": 4}


def mixed():
    return {
        "conv": report_with_motion(STAGES, 1),
        "slow": report_with_motion(STAGES, 2, meta={"group": GROUPS[1]}),
        "two": report_with_motion(PATHS, 3),
        "twelve": report_with_motion(blocks(12, "model.timesformer.encoder.layer"), 4),
        "four": report_with_motion(blocks(4), 5),
    }


@pytest.mark.parametrize(
    ("layers", "meta", "group"),
    [
        (STAGES, {}, GROUPS[0]),
        (PATHS, {}, GROUPS[1]),
        (STAGES, {"group": GROUPS[1]}, GROUPS[1]),  # a report knows better than its layers
        (blocks(3), {}, GROUPS[2]),
        ({"model.a.layer.3": 4, "model.a.layer.7": 4}, {}, GROUPS[2]),
        ({"conv1": 4, "layer1": 4, "fc": 4}, {}, OTHERS),
        ({"conv1": 4, "fc": 4}, {"group": GROUPS[0]}, GROUPS[0]),
        (STAGES, {"group": "of a later version"}, GROUPS[0]),
    ],
)
def test_a_report_goes_to_the_group_it_names_or_its_layers_show(layers, meta, group):
    assert group_of(report_with_motion(layers, meta=meta)) == group


def test_every_architecture_names_a_group_that_figures_have():
    for family in families.FAMILIES:
        assert set(family.groups) == set(family.model_names), family.name
        assert set(family.groups.values()) <= set(GROUPS), family.name


def test_nothing_is_lost_and_empty_groups_are_left_out():
    reports = mixed()
    found = grouped(reports)
    assert [name for members in found.values() for name in members] == list(reports)
    assert list(grouped({"a": reports["four"]})) == [GROUPS[2]]


def test_blocks_stand_at_their_number_whatever_the_depth_of_others():
    reports = {name: report for name, report in mixed().items() if name in ("twelve", "four")}
    axis = BlockAxis.of(reports)
    assert (axis.blocks, axis.after) == (12, ("head",))
    places = {name: axis.positions(report) for name, report in reports.items()}
    assert places["four"]["blocks.2"] == 3
    assert places["twelve"]["model.timesformer.encoder.layer.11"] == 12
    assert places["four"]["head"] == places["twelve"]["head"] > 13


def test_blocks_of_a_second_stack_follow_the_first():
    layers = {"m.spatial.0": 4, "m.spatial.1": 4, "m.temporal.0": 4, "head": 4}
    assert list(numbered(report_with_motion(layers)).values()) == [1, 2, 3]
    some = {"m.layer.3": 4, "m.layer.7": 4}
    assert list(numbered(report_with_motion(some)).values()) == [4, 8]


def test_a_column_per_group_a_row_per_score_and_every_layer_a_point():
    reports = mixed()
    figure = group_panels(reports)
    axes = figure.axes
    assert len(axes) == 9
    assert [ax.get_title() for ax in axes[:3]] == list(GROUPS)
    assert [ax.get_ylabel() for ax in axes[::3]][1:] == ["motion-only", "content"]
    drawn = set()
    for line in (line for ax in axes[:3] for line in ax.lines if "|" in (line.get_gid() or "")):
        members = line.get_gid().split("|")
        points = [y for y in line.get_ydata() if not math.isnan(y)]
        assert len(points) == len(members)
        drawn |= set(members)
    assert drawn | {"head"} == {layer for report in reports.values() for layer in report.layers}
    assert len({ax.get_ylim() for ax in axes[:3]}) == 1  # a row is read across


@pytest.mark.parametrize("value", ["score", "percent"])
def test_text_can_be_read(value):
    reports = mixed() | {"vit": report_with_motion(blocks(24), 6)}
    reports |= {f"network {i} with a longish name": reports["conv"] for i in range(5)}
    text_is_clear(group_panels(reports, value))


def test_compare_and_plot_draw_it(tmp_path, capsys):
    files = []
    for name, report in mixed().items():
        report.meta["name"] = name
        report.save(tmp_path / f"{name}.json")
        files.append(str(tmp_path / f"{name}.json"))
    assert cli.main(["compare", *files, "--figure", str(tmp_path / "a" / "fig.png")]) == 0
    assert (tmp_path / "a" / "fig.png").stat().st_size > 10_000
    out = str(tmp_path / "b.svg")
    assert cli.main(["plot", *files, "--kind", "groups", "--value", "percent", "--out", out]) == 0
    assert "transformers" in (tmp_path / "b.svg").read_text()
    assert cli.main(["compare", *files, "--figure", "fig.gif"]) == 2
    assert "ends in .png" in capsys.readouterr().err


def test_no_reports_are_an_error():
    with pytest.raises(RequestError, match="at least one report"):
        group_panels({})
