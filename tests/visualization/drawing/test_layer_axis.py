"""Which layers of a figure a line joins."""

from __future__ import annotations

from slowfast_bias.visualization.drawing.layer_axis import runs, side_by_side, stages


def test_streams_have_a_line_each_and_other_networks_one():
    assert runs(["app2", "mot2", "fuse2", "app3", "mot3"]) == [
        ["app2", "app3"],
        ["mot2", "mot3"],
        ["fuse2"],
    ]
    places, _ = side_by_side(["app2", "mot2", "app3", "mot3"])
    assert list(places.items()) == [("app2", 0), ("mot2", 2), ("app3", 1), ("mot3", 3)]
    assert stages(["s2", "s1/0", "s1/1"]) == ["s2", "s1"]
    assert runs(["fuse5", "decoder.RF2"]) == [["fuse5"], ["decoder.RF2"]]
    assert runs(["s1", "s2", "head"]) == [["s1", "s2", "head"]]
