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
from slowfast_bias.results import ResultError

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
    assert list(data) == ["format", "kind", "meta", "data", "layers"]
    assert (data["format"], data["kind"]) == (1, "report")
    assert data["data"]["s5"]["S_static"] == report["s5"].score("static")
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
        ("[1, 2]", "holds a list, not an object"),
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


def spoilt(data):
    """{what is wrong: text of a report file}"""

    def change(edit):
        copy = json.loads(json.dumps(data))
        edit(copy)
        return json.dumps(copy)

    layer = lambda d: d["layers"]["s5"]  # noqa: E731
    return {
        "one unit short": change(lambda d: layer(d)["correlation"]["static"].pop()),
        "an error that is text": change(lambda d: layer(d)["stderr"].update(static="low")),
        "errors that are a list": change(lambda d: layer(d).update(stderr=[1, 2])),
        "pooled errors missing": change(lambda d: layer(d)["stderr"]["pooled"].clear()),
        "a score that is a list": change(lambda d: layer(d)["score"].update(static=[0.5])),
        "a factor missing": change(lambda d: layer(d)["score"].pop("static")),
        "units that are text": change(lambda d: layer(d)["pooled"].update(dynamic="none")),
        "no pairs": change(lambda d: layer(d)["pairs"].clear()),
        "no units": change(lambda d: [x.clear() for x in layer(d)["correlation"].values()]),
        "a threshold that is a list": change(lambda d: d["meta"].update(threshold=[])),
        "a threshold of 400 digits": change(lambda d: d["meta"].update(threshold=10**400)),
        "a threshold that is no number": change(lambda d: d["meta"].update(threshold=float("nan"))),
        "warnings that are null": change(lambda d: d["meta"].update(warnings=None)),
        "a number of dropped videos": change(lambda d: d["meta"].update(dropped_videos=1.5)),
        "warnings that are numbers": change(lambda d: d["meta"].update(warnings=[3])),
        "pairs of 400 digits": change(lambda d: layer(d)["pairs"].update(static=10**400)),
        "pairs below zero": change(lambda d: layer(d)["pairs"].update(static=-1)),
        "a line break in a key": change(lambda d: layer(d)["stderr"]["units"].update({"a\nb": []})),
        "another statistic": change(lambda d: d["meta"].update(statistic="median")),
        "layers in a list": change(lambda d: d.update(layers=[])),
        "a layer that is a number": change(lambda d: d["layers"].update(s5=3)),
        "meta in a list": change(lambda d: d.update(meta=[])),
        "another kind": change(lambda d: d.update(kind="silencing")),
        "format of another type": change(lambda d: d.update(format="1")),
        "400 digits": change(lambda d: layer(d)["score"].update(static=10**400)),
        "5000 digits": change(lambda d: layer(d)["score"].update(static=0.123456789)).replace(
            "0.123456789", "9" * 5000
        ),
        "nested": "[" * 100_000,
        "no JSON": "not json",
        "empty": "",
    }


def test_a_malformed_file_is_one_line_whatever_is_wrong_with_it(report, tmp_path):
    path = tmp_path / "a.json"
    report.save(path)
    for name, text in spoilt(json.loads(path.read_text())).items():
        path.write_text(text)
        with pytest.raises(ResultError) as caught:
            BiasReport.load(path)
        assert len(str(caught.value).splitlines()) == 1 and "a.json" in str(caught.value), name
    path.write_bytes(b"\xff\xfe\x00")
    for file in (path, tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(ResultError, match=r"report.json of a run"):
            BiasReport.load(file)


def test_the_table_says_what_the_network_still_recognises(report):
    known = {"clips": 40, "top1_kept": 0.25, "probability": 0.61, "probability_styled": 0.2}
    shown = BiasReport(report.layers, {**report.meta, "recognition": known})
    for text in (shown.table(), shown.to_markdown()):
        assert "in 25 % of 40 clips; its probability goes from 0.61 to 0.20" in text
    for odd in (None, {}, "none", {"clips": 3}):
        assert "recognition" not in BiasReport(report.layers, {"recognition": odd}).table()
