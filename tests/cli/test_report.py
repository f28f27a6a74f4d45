"""slowfast_bias report: the table as ever, and the page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.pages import rows, write_run

from slowfast_bias import cli
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result


@pytest.fixture
def run(tmp_path, moving, untrained):
    return write_run(tmp_path / "run", moving, untrained, tests=False, clips=False, epochs=False)


def test_the_table_is_printed_and_the_page_is_beside_it(run, capsys, moving, untrained):
    assert cli.main(["report", run]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(moving.table({"untrained": untrained}))
    assert printed.endswith(f"page: {run}/report.html\n")
    assert "<!doctype html>" in Path(run, "report.html").read_text()[:40]


@pytest.mark.parametrize("format", ["text", "markdown", "csv"])
def test_other_formats_print_alone(run, capsys, moving, untrained, format):
    assert cli.main(["report", run, "--format", format]) == 0
    printed, others = capsys.readouterr().out, {"untrained": untrained}
    tables = {"markdown": moving.to_markdown(others), "csv": moving.to_csv()}
    if format == "text":
        assert printed.startswith(moving.table(others)) and "recordings 12" in printed
    else:
        assert printed == tables[format]
    assert not Path(run, "report.html").exists()


def test_a_report_file_has_its_page_where_its_run_is_or_beside_it(run, capsys, plain, tmp_path):
    assert cli.main(["report", Outputs(run).report()]) == 0
    assert Path(run, "report.html").exists()
    plain.save(tmp_path / "mine.json")
    assert cli.main(["report", str(tmp_path / "mine.json")]) == 0
    assert (tmp_path / "mine.html").exists()


def test_several_runs_are_one_page(run, capsys, plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = write_run(tmp_path / "other", plain, tests=False, clips=False, epochs=False)
    write_result(Outputs(str(tmp_path / "swept")).rows, "sweep", {}, rows())
    words = ["report", run, other, str(tmp_path / "swept")]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("run\n") and "\nother\n" in printed
    assert "StaticDropout" in printed or "static" in printed.split("swept\n")[1]
    assert printed.endswith("page: report.html\n") and os.path.exists("report.html")
    assert cli.main([*words, "--out", "pages/x.html"]) == 0 and os.path.exists("pages/x.html")


def test_what_cannot_be_done_is_one_line(run, capsys, tmp_path):
    broken = write_run(tmp_path / "broken", cli_report(run), tests=False, clips=False)
    Path(Outputs(broken).report()).write_text("{")
    (tmp_path / "empty").mkdir()
    for words, says in (
        ([broken], "broken/bias/report.json is not JSON"),
        ([str(tmp_path / "empty")], "folder of a run with results"),
        ([run, "--out", "x.html", "--format", "csv"], "no --out with --format csv"),
        ([run, run, "--format", "csv"], "one run for --format csv"),
        ([run, "--out", "/proc/nowhere/x.html"], "Expected to write"),
    ):
        assert cli.main(["report", *words]) == 2
        error = capsys.readouterr().err
        assert says in error and error.count("\n") == 1 and error.startswith("error: ")


def test_a_page_overwrites_nothing_but_a_page(run, capsys, tmp_path):
    file, folder = Outputs(run).report(), str(tmp_path / "pages")
    before = Path(file).read_bytes()
    os.mkdir(folder)
    for out, says in (
        (file, "end in .html or .htm"), ("x.pdf", "but got 'x.pdf'"), ("", "but got ''"),
        (folder, f"{folder!r} is a folder. Give {folder}/report.html."),
        ("new/", "'new/' is a folder. Give new/report.html."),
    ):  # fmt: skip
        assert cli.main(["report", run, "--out", out]) == 2
        printed, error = capsys.readouterr()
        assert printed == "" and says in error and error.count("\n") == 1
    assert Path(file).read_bytes() == before and os.listdir(folder) == []
    assert cli.main(["report", run, "--out", f"{folder}/A.HTM"]) == 0
    assert os.listdir(folder) == ["A.HTM"]


def cli_report(run):
    from slowfast_bias.bias import BiasReport

    return BiasReport.load(Outputs(run).report())
