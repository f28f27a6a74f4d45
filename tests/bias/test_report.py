"""BiasReport: what it answers, and that a saved one says the same."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
import torch
from iopath.common.file_io import PathHandler, g_pathmgr

from slowfast_bias.bias import KINDS, BiasMeter, BiasReport, rank_units

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")


def make_report(statistic="pearson", factors=("static", "dynamic"), **settings):
    """Layer s5 of seven units: static, dynamic, joint, residual, against, dead, residual."""
    strength = {"static": [0.9, 0, 0.9, 0, -0.9, 0, 0.2], "dynamic": [0, 0.9, 0.8, 0, 0, 0, 0.1]}
    generator = torch.Generator().manual_seed(0)
    meter = BiasMeter(["s4", "s5"])
    for factor in factors:
        r = torch.tensor(strength[factor], dtype=torch.float64)
        a, noise = torch.randn(2, 400, 7, generator=generator, dtype=torch.float64)
        b = r * a + (1 - r**2).sqrt() * noise
        a[:, 5] = b[:, 5] = 2.0
        meter.update(factor, {"s4": a[:, :2], "s5": a}, {"s4": b[:, :2], "s5": b})
    return meter.compute(statistic=statistic, **settings)


@pytest.fixture
def report():
    return make_report(meta={"styles": {"family": "colour", "seed": 0}, "checkpoint": None})


def test_units_are_a_partition_with_the_kinds_that_were_built(report):
    units = report["s5"].units()
    assert units["static"] == [0] and units["dynamic"] == [1] and units["joint"] == [2]
    assert units["residual"] == [3, 4, 6] and units["dead"] == [5]
    for threshold in (-1.0, 0.0, 0.3, 1.0):
        kinds = report["s5"].units(threshold)
        assert tuple(kinds) == KINDS
        assert sorted(sum(kinds.values(), [])) == list(range(7))


def test_score_is_the_mean_over_live_units_and_keeps_signs(report):
    s = report["s5"].correlation["static"]
    assert s[4] < -0.85 and s[5].isnan()
    assert report["s5"].score("static") == pytest.approx(s[[0, 1, 2, 3, 4, 6]].mean().item())


def test_percent_adds_up_and_follows_the_scores(report):
    percent = report["s4"].percent()
    assert sum(percent.values()) == pytest.approx(100)
    ratio = math.exp(report["s4"].score("static") - 1)
    assert percent["static"] / percent["residual"] == pytest.approx(ratio)


def test_the_statistic_of_the_report_is_the_default_of_its_methods():
    pearson, pooled = make_report("pearson"), make_report("pooled")
    for layer in ("s4", "s5"):
        assert pooled[layer].score("static") == pearson[layer].score("static", "pooled")
        assert pooled[layer].percent() == pearson[layer].percent("pooled")
        assert pooled[layer].score_error("static") == pooled[layer].stderr["pooled"]["static"]
        assert pooled[layer].score("static") != pearson[layer].score("static")


def test_rank_units_starts_with_the_strongest_and_leaves_dead_ones_out(report):
    order = rank_units(report, "s5", "static")
    assert order[-1] == 4 and set(order[:2]) == {0, 2} and sorted(order) == [0, 1, 2, 3, 4, 6]
    scores = report["s5"].correlation["static"][order]
    assert (scores.diff() <= 0).all()


def test_saved_and_loaded_and_saved_is_the_same_file(report, tmp_path):
    report.save(tmp_path / "deep" / "a.json")
    loaded = BiasReport.load(tmp_path / "deep" / "a.json")
    loaded.save(tmp_path / "b.json")
    assert (tmp_path / "deep" / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.json"]  # no temporary left
    assert loaded.table() == report.table() and loaded.to_csv() == report.to_csv()
    assert loaded.meta == report.meta
    for name, layer in report.layers.items():
        for factor in ("static", "dynamic"):
            got = loaded[name].correlation[factor]
            torch.testing.assert_close(
                got, layer.correlation[factor], rtol=0, atol=0, equal_nan=True
            )


def test_a_loaded_report_keeps_its_threshold_and_statistic(tmp_path):
    report = make_report("pooled", threshold=0.15)
    report.save(tmp_path / "a.json")
    loaded = BiasReport.load(tmp_path / "a.json")
    assert loaded["s5"].units() == report["s5"].units() != report["s5"].units(0.5)
    assert loaded["s5"].percent() == report["s5"].percent()


def test_the_file_is_strict_json_in_the_documented_shape(report, tmp_path):
    report.save(tmp_path / "a.json")

    def refuse(constant):
        raise AssertionError(constant)

    data = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert list(data) == ["format", "meta", "layers"] and data["format"] == 1
    layer = data["layers"]["s5"]
    assert layer["pairs"] == {"static": 400, "dynamic": 400}
    assert layer["correlation"]["static"][5] is None and len(layer["pooled"]["dynamic"]) == 7
    assert layer["score"]["static"] == report["s5"].score("static")
    assert layer["pooled_score"]["dynamic"] == report["s5"].score("dynamic", "pooled")
    assert set(layer["stderr"]) == {"static", "dynamic", "pooled", "percent", "units"}
    assert layer["percent"] == report["s5"].percent()
    assert layer["units"] == {"static": 1, "dynamic": 1, "joint": 1, "residual": 3, "dead": 1}


def test_one_factor_is_saved_and_shown(tmp_path):
    report = make_report(factors=("dynamic",))
    report.save(tmp_path / "a.json")
    loaded = BiasReport.load(tmp_path / "a.json")
    assert loaded["s5"].score("dynamic") == report["s5"].score("dynamic")
    assert loaded.table() == report.table() and " - " in report.table()
    assert len({len(row) for row in csv.reader(io.StringIO(report.to_csv()))}) == 1


def test_a_newer_format_and_a_file_of_something_else_are_clear_errors(tmp_path):
    for text, message in (
        ('{"format": 2, "meta": {}, "layers": {}}', "format 2: a newer slowfast_bias"),
        ("[1, 2]", "no format number"),
    ):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            BiasReport.load(tmp_path / "a.json")


def test_an_unknown_layer_or_factor_is_named(report):
    with pytest.raises(KeyError, match="s4.*s5.*s6"):
        report["s6"]
    with pytest.raises(ValueError, match="'flow'"):
        report["s5"].score("flow")
    with pytest.raises(ValueError, match="'median'"):
        report["s5"].score("static", "median")


def test_table_and_markdown_show_every_layer_and_the_warning(report):
    for text in (report.table(), report.to_markdown()):
        assert "fewer than 500 pairs (400)" in text
        assert f"{report['s5'].score('static'):.3f} ±" in text and "s4" in text
    lines = report.table().splitlines()
    assert len({len(line) for line in lines[:3]}) == 1  # aligned
    markdown = report.to_markdown().splitlines()
    assert len({line.count("|") for line in markdown[:4]}) == 1


def test_csv_reads_back_as_numbers(report):
    head, *rows = csv.reader(io.StringIO(report.to_csv()))
    assert [row[0] for row in rows] == ["s4", "s5"]
    row = dict(zip(head, rows[1], strict=True))
    assert float(row["score_static"]) == report["s5"].score("static")
    assert float(row["stderr_dynamic"]) == report["s5"].stderr["dynamic"]
    assert float(row["percent_residual"]) == report["s5"].percent()["residual"]
    assert (row["units_joint"], row["channels"], row["pairs_static"]) == ("1", "7", "400")


class InMemory(PathHandler):
    """A remote store in a dictionary, to prove that paths go through the path manager."""

    files: dict[str, str] = {}

    def _get_supported_prefixes(self):
        return ["memory://"]

    def _open(self, path, mode="r", buffering=-1, **kwargs):
        if "r" in mode:
            return io.StringIO(self.files[path])
        out = io.StringIO()
        out.close = lambda: self.files.update({path: out.getvalue()})
        return out


def test_remote_paths_go_through_the_path_manager(report):
    g_pathmgr.register_handler(InMemory(), allow_override=True)
    report.save("memory://bucket/bias.json")
    assert list(InMemory.files) == ["memory://bucket/bias.json"]
    assert BiasReport.load("memory://bucket/bias.json").table() == report.table()
