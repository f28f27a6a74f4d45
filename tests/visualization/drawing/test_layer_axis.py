"""Which layers of a figure a line joins."""

from __future__ import annotations

from slowfast_bias.visualization.drawing.layer_axis import runs


def test_streams_have_a_line_each_and_other_networks_one():
    assert runs(["app2", "app3", "mot2", "mot3", "fuse2"]) == [
        ["app2", "app3"],
        ["mot2", "mot3"],
        ["fuse2"],
    ]
    assert runs(["fuse5", "decoder.RF2"]) == [["fuse5"], ["decoder.RF2"]]
    assert runs(["s1", "s2", "head"]) == [["s1", "s2", "head"]]
