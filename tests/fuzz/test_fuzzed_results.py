"""Result files by chance: shown, or refused by our own error, by every command that reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzzing import bounded, fuzzed, spoilt_json
from support.pages import rows, write_run
from support.reports import report_with_motion

from slowfast_bias.bias import BiasReport
from slowfast_bias.cli import main
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a file of every kind, and {path: its content}."""
    root = tmp_path_factory.mktemp("run")
    report = report_with_motion({"s4": 6, "s5/0": 5, "head": 4}, meta={"videos": 40})
    write_run(root, report, untrained=report)
    write_result(Outputs(str(root)).rows, "sweep", {}, rows())
    files = sorted(path for path in root.rglob("*.json"))
    return root, {path: json.loads(path.read_text()) for path in files}


def ask(*words):
    """Runs a command, which may refuse in one line and may not fail otherwise."""
    with bounded():
        assert main([*map(str, words)]) in (0, 1, 2)


def spoil(data, files):
    """Spoils one of the files; returns it and how it was."""
    path = data.draw(st.sampled_from(sorted(files)))
    path.write_bytes(data.draw(spoilt_json(files[path])))
    return path


@fuzzed()
@given(data=st.data())
def test_the_report_of_a_run(run, data, tmp_path_factory):
    root, files = run
    path = spoil(data, files)
    try:
        form = data.draw(st.sampled_from((["--format", "markdown"], [], ["--format", "csv"])))
        page = tmp_path_factory.getbasetemp() / "page.html"
        ask("report", root, *data.draw(st.sampled_from((form, ["--out", page]))))
    finally:
        path.write_text(json.dumps(files[path]))


@fuzzed()
@given(data=st.data())
def test_reports(run, data):
    root, files = run
    path, other = Path(Outputs(str(root)).report()), Outputs(str(root)).report("untrained")
    path.write_bytes(data.draw(spoilt_json(files[path])))
    try:
        ask("compare", path, other)
        ask("compare", "--banks", other, path)
    finally:
        path.write_text(json.dumps(files[path]))
    assert BiasReport.load(path).layers


@fuzzed(4)
@given(data=st.data())
def test_figures(run, data, tmp_path_factory):
    root, files = run
    outputs, out = Outputs(str(root)), tmp_path_factory.getbasetemp() / "figure.svg"
    kinds = {
        outputs.report(): [],
        outputs.silencing(): ["--ablation"],
        outputs.frame_orders: ["--orders"],
        outputs.battery(): ["--battery"],
        outputs.top_clips: ["--top-clips"],
    }
    name = data.draw(st.sampled_from(sorted(kinds)))
    path = Path(name)
    path.write_bytes(data.draw(spoilt_json(files[path])))
    try:
        ask("plot", *kinds[name], path, "--out", out)
    finally:
        path.write_text(json.dumps(files[path]))
