"""slowfast_bias plot and compare: files in, files and tables out, errors in one line."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from slowfast_bias import cli
from slowfast_bias.visualization.reading.report_files import read_reports
from slowfast_bias.visualization.tables import comparison_table


def plot(arguments):
    return cli.main(["plot", *arguments])


def compare(arguments):
    return cli.main(["compare", *arguments])


def cells_of(line):
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.fixture
def files(plain, pathways, tmp_path):
    paths = [str(tmp_path / run / "bias" / "report.json") for run in ("slow", "slowfast")]
    plain.save(paths[0])
    pathways.save(paths[1])
    return paths


@pytest.mark.parametrize("kind", ["curves", "units", "page", "scatter"])
def test_plot_writes_a_figure_of_every_kind(files, tmp_path, kind):
    out = tmp_path / "figures" / f"{kind}.png"
    chosen = files[:1] if kind == "scatter" else files
    assert plot([*chosen, "--out", str(out), "--kind", kind]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_model_is_named_by_its_report_else_by_its_run(files, plain, make_report, tmp_path):
    assert list(read_reports(files)) == ["slow", "slowfast"]
    named = make_report({"s1": 3}, meta={"name": "trained", "model": "SlowFast"})
    paths = [str(tmp_path / run / "bias" / "report.json") for run in ("a", "b")]
    for path in paths:
        named.save(path)
    assert list(read_reports(paths[:1])) == ["trained"]
    assert list(read_reports(paths)) == ["a trained", "b trained"]
    plain.save(tmp_path / "slow" / "bias" / "epoch_00001.json")
    both = [files[0], str(tmp_path / "slow" / "bias" / "epoch_00001.json")]
    assert list(read_reports(both)) == ["slow report", "slow epoch_00001"]


BAD = {
    "missing": (["none.json"], "bias/report.json.*none.json cannot be read"),
    "shape": (["shape.json"], "has no `layers`"),
    "layers": (["layers.json"], "layers.json: Expected an object `pairs` in layer 's1'"),
    "list": (["list.json"], "holds a list, not an object"),
    "empty": (["empty.json"], "with layers"),
    "text": (["text.json"], "is not JSON"),
    "newer": (["newer.json"], "format 99.*newer"),
    "folder": (["."], "cannot be read"),
    "names": (["good.json", "--names", "a", "b"], "2 names for 1 reports"),
    "twice": (["good.json", "good.json"], "names that differ"),
}


@pytest.fixture
def bad(plain, tmp_path, monkeypatch):
    texts = {"shape": {"a": 1}, "list": [1, 2], "newer": {"format": 99, "meta": {}, "layers": {}}}
    texts |= {"layers": {"format": 1, "meta": {}, "layers": {"s1": {"pairs": 3}}}}
    texts |= {"empty": {"format": 1, "meta": {}, "layers": {}}}
    for name, data in texts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    (tmp_path / "text.json").write_text("not json")
    plain.save(tmp_path / "good.json")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(bad, capsys, case):
    arguments, message = BAD[case]
    for run in (compare, lambda words: plot([*words, "--out", "a.png"])):
        assert run(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and re.fullmatch(rf"error: .*{message}.*\n", err), err
    assert not Path("a.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "a.jpg"], r"\.png, \.pdf, \.svg"),
        (["--out", "a.png", "--kind", "scatter", "--layer", "s22"], "did you mean s2"),
        (["--out", "a.png", "--kind", "units", "--layer", "s2"], "only for the kind scatter"),
        (["--out", "a.png", "--axes", "paper"], "axes only for the kind scatter"),
        (["--out", "a.png", "--kind", "scatter", "--axes", "contrasts"], "take the axes 'paper'"),
        (["good.json", "--names", "a", "b", "--out", "a.png", "--kind", "scatter"], "one report"),
    ],
)
def test_bad_requests_of_a_figure_are_one_line_and_status_2(bad, capsys, arguments, message):
    assert plot(["good.json", *arguments]) == 2
    assert re.fullmatch(rf"error: .*{message}.*\n", capsys.readouterr().err)


def test_an_unknown_layer_of_a_table_names_those_there_are(bad, capsys):
    assert compare(["good.json", "--layers", "s9"]) == 2
    assert "did you mean" in (err := capsys.readouterr().err) and "s1, s2, s3, head" in err


def test_csv_parses_back_to_the_reports_numbers(files, plain, pathways, capsys):
    assert compare([*files, "--format", "csv", "--layers", "all"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    reports = {"slow": plain, "slowfast": pathways}
    assert [(r["model"], r["layer"]) for r in rows] == [
        (name, layer) for name, report in reports.items() for layer in report.layers
    ]
    for row in rows:
        bias = reports[row["model"]][row["layer"]]
        for factor in ("static", "dynamic"):
            assert float(row[f"score_{factor}"]) == bias.score(factor)
            assert float(row[f"stderr_{factor}"]) == bias.score_error(factor)
            assert float(row[f"percent_{factor}"]) == bias.percent()[factor]
        for kind, units in bias.units().items():
            assert int(row[f"units_{kind}"]) == len(units)
        assert int(row["pairs_static"]) == 40


def test_a_stage_means_its_pathways_and_the_default_is_the_last_layer(files, plain, pathways):
    reports = {"A": plain, "B": pathways}
    table = comparison_table(reports, ["s2"]).splitlines()
    assert [cells_of(line)[1] for line in table[2:]] == ["s2", "s2/0", "s2/1"]
    assert [cells_of(line)[1] for line in comparison_table(reports).splitlines()[2:]] == [
        "head", "head"
    ]  # fmt: skip
    with pytest.raises(ValueError, match="in every report, but A has s1"):
        comparison_table(reports, ["s2/1"])


@pytest.mark.parametrize("units", ["percent", "count"])
def test_markdown_rows_hold_the_numbers(broken, units):
    head, rule, row = comparison_table({"a|b\n1e5": broken}, ["s3"], units=units).splitlines()
    cells = cells_of(row)
    assert cells[:2] == [r"a\|b 1e5", "s3"] and set(rule) == set("|:-")
    assert len(cells) == head.count("|") - 1 == rule.count("|") - 1
    s3 = broken["s3"]
    assert cells[2] == f"{s3.score('static'):.3f} ± {s3.score_error('static'):.3f}"
    assert cells[3:5] == ["-", "-"]  # a report from before there was motion-only
    assert cells[5] == f"{s3.score('dynamic'):.3f} ± {s3.score_error('dynamic'):.3f}"
    assert cells[6] == f"{s3.percent()['static']:.1f}"
    assert cells[13] == ("5" if units == "count" else f"{100 * 5 / 16:.1f}")


def test_what_is_nan_is_a_dash(broken):
    row = comparison_table({"A": broken}, ["s1"]).splitlines()[-1]
    assert cells_of(row)[2:9] == ["-"] * 7 and "nan" not in row


def test_a_number_for_a_name_is_a_name(plain):
    for name in ("1e5", "0.10", "007", "None"):
        row = comparison_table({name: plain}, ["head"]).splitlines()[-1]
        assert cells_of(row)[0] == name
        last = comparison_table({name: plain}, ["head"], "latex").splitlines()[-3]
        assert last.split("&")[0].strip() == name


@pytest.mark.parametrize("format", ["markdown", "latex"])
def test_the_headline_stands_before_the_papers_scores_shares_and_kinds(moving, plain, format):
    table = comparison_table({"A": moving, "old": plain}, ["s2"], format)
    split, mark, end = ("|", "±", "") if format == "markdown" else ("&", r"$\pm$", r"\\")
    lines = [x.removesuffix(end).strip("| ") for x in table.splitlines() if x.count(split) > 9]
    rows = [[cell.strip() for cell in line.split(split)] for line in lines if "---" not in line]
    head, new, old = rows
    names = ["motion-only", "content"]
    assert head[3:5] == names and "static" in head[2] and "dynamic" in head[5]
    want = [
        f"{moving['s2'].score(x):.3f} {mark} {moving['s2'].score_error(x):.3f}"
        for x in ("static", "motion", "content", "dynamic")
    ]
    assert new[2:6] == want
    assert old[3:5] == ["-" if format == "markdown" else "--"] * 2 and old[2] != old[3]


def test_csv_ends_with_where_the_numbers_come_from(moving, plain):
    rows = list(
        csv.DictReader(io.StringIO(comparison_table({"A": moving, "B": plain}, format="csv")))
    )
    keys = ["styles", "seed", "videos", "recordings", "decoder"]
    assert list(rows[0])[-5:] == keys
    assert [rows[0][key] for key in keys] == ["randconv, 5 of seed 7", "3", "40", "12", "pyav 9.9"]
    assert [rows[1][key] for key in keys] == [""] * 5 and rows[1]["score_motion"] == ""
    assert float(rows[0]["score_motion"]) == moving["head"].score("motion")


def test_latex_escapes_names_and_has_booktabs_rules_and_even_columns(plain):
    table = comparison_table({r"a_b & 50% #1 {x}~^\ ": plain}, format="latex")
    want = r"a\_b \& 50\% \#1 \{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert want in table and r"$\pm$" in table
    assert [table.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")] == [1, 1, 1]
    lines = table.splitlines()
    columns = len(re.search(r"tabular\}\{(\w+)\}", lines[0])[1])
    head, row = lines[4], lines[6].replace(r"\&", "")
    assert head.count("&") == row.count("&") == columns - 1
    spans = sum(int(n) for n in re.findall(r"multicolumn\{(\d+)\}", lines[2]))
    assert spans + 3 == columns and lines[2].count("&") == 5


def test_reports_that_do_not_compare_are_told_apart_on_stderr(make_report, tmp_path, capsys):
    settings = {"a": ("pearson", 0.5, 0), "b": ("pooled", 0.4, 1)}
    for name, (statistic, threshold, seed) in settings.items():
        meta = {"name": name, "styles": {"family": "colour", "num": 4, "seed": seed}, "data": "k"}
        report = make_report({"s1": 3}, meta=meta, statistic=statistic, threshold=threshold)
        report.save(tmp_path / f"{name}.json")
    files = [str(tmp_path / f"{name}.json") for name in settings]
    assert compare(files) == 0
    out, err = capsys.readouterr()
    assert cells_of(out.splitlines()[0])[:2] == ["model", "layer"]
    assert err.count("warning: not comparable") == 3
    assert "statistic is pearson (a); pooled (b)" in err and "styles.seed is 0 (a); 1 (b)" in err
    reasons = err.replace("warning: ", "").splitlines()
    assert out.splitlines()[-4:] == ["", *(f"- {reason}" for reason in reasons)]
    assert compare([*files, "--to", "a"]) == 0 and "more static" not in capsys.readouterr().out
    assert compare([*files, "--to", "z"]) == 2 and "networks a, b" in capsys.readouterr().err
    assert compare([*files, "--format", "latex"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [f"% {reason}" for reason in reasons]
    assert compare([*files, "--format", "csv"]) == 0
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) == 3
    assert compare(files[:1]) == 0 and capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("list", ("k400/val.csv", "mine.csv")), ("videos", (500, 499)), ("seed", (0, 1)),
        ("pairs_made", ("static_dynamic", "static_dynamic_folders")), ("data", ("a/val", "a/test")),
    ],
)  # fmt: skip
def test_other_videos_or_pairs_are_said_and_nothing_is_averaged(
    make_report, tmp_path, capsys, key, values
):
    same = {"styles": {"family": "colour", "num": 4, "seed": 0}, "data": "a/val", "videos": 500}
    files = []
    for name, value in zip("ab", values, strict=True):
        report = make_report({"s1": 3}, meta={**same, "name": name, key: value})
        files.append(str(tmp_path / f"{name}.json"))
        report.save(files[-1])
    assert compare(files) == 0
    out, err = capsys.readouterr()
    assert err == f"warning: not comparable: {key} is {values[0]} (a); {values[1]} (b)\n"
    assert [cells_of(line)[0] for line in out.splitlines()[2:4]] == ["a", "b"]
    assert out.splitlines()[4:] == ["", f"- {err.strip().removeprefix('warning: ')}"]
