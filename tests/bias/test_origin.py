"""Where numbers come from stands below every table; references in it; what is 0 by construction."""

from __future__ import annotations

import csv
import io

import pytest

from slowfast_bias.bias.origin import ORIGIN, origin, origin_words

FOLDERS = {"source": "folders", "dirs": ["a/x", "a/y"], "num": 2}


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({}, ""),
        ({"styles": {"family": "colour", "num": 4, "seed": 0}}, "styles: colour, 4 of seed 0"),
        ({"styles": {"family": "colour"}}, "styles: colour"),
        ({"styles": FOLDERS, "seed": 0}, "styles: folders a/x, a/y; pairs of seed 0"),
        ({"pairs_made": "flow_swap", "seed": 1}, "pairs flow_swap of seed 1"),
        ({"pairs_made": "static_dynamic", "seed": 1}, "pairs of seed 1"),
        ({"videos": 9, "recordings": 9}, "9 videos"),
        ({"videos": 1, "recordings": 1}, "1 video"),
        ({"videos": 3, "recordings": 1}, "3 videos; 1 recording"),
        ({"videos": 9, "recordings": 2, "decoder": "d"}, "9 videos; 2 recordings; decoder d"),
        ({"styles": [1], "seed": None, "videos": {}, "decoder": 1.5}, ""),
    ],
)
def test_what_a_meta_says_and_no_more(meta, says):
    assert origin_words([meta]) == says


def test_reports_that_differ_are_both_named():
    metas = [{"seed": 0, "videos": 9}, {"seed": 1, "videos": 9}, {}]
    assert origin_words(metas) == "pairs of seed 0 / 1; 9 videos"


def test_it_stands_below_the_table_in_markdown_and_in_the_last_columns(moving):
    says = origin_words([moving.meta])
    for text in (moving.table(), moving.to_markdown()):
        assert text.splitlines().count(says) == 1
        assert "motion-only of s1 is 0 by construction: the layer sees frames one by one" in text
    for row in csv.DictReader(io.StringIO(moving.to_csv())):
        assert {key: row[key] for key in ORIGIN} == origin(moving.meta)


def test_layers_are_frame_wise_only_where_no_order_changes_anything(moving, plain, make_moving):
    assert [name for name, layer in moving.layers.items() if layer.frame_wise] == ["s1"]
    assert not any(layer.frame_wise for layer in plain.layers.values())
    still = make_moving({"s1": 4, "s2": 4}, frame_wise=("s1", "s2"))
    assert "motion-only of every layer is 0 by construction" in still.table()


def test_references_are_rows_below_the_reports_own(moving, untrained):
    alone, both = moving.table().splitlines(), moving.table({"untrained": untrained}).splitlines()
    rows = {line.split("  ")[0]: line for line in both}
    names = [f"untrained, {layer}" for layer in untrained.layers]
    assert [*rows][1:9] == [*moving.layers, *names]
    for layer, bias in untrained.layers.items():
        for score in ("static", "motion", "content"):
            assert f"{bias.score(score):.3f} ±" in rows[f"untrained, {layer}"]
    assert alone[5:] == both[9:]  # the notes are the report's own
    assert "| untrained, head |" in moving.to_markdown({"untrained": untrained})
