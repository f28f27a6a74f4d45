"""slowfast_bias plot with --over-epochs, --ablation and --orders: figures, and errors in a line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from slowfast_bias import cli


def plot(arguments):
    return cli.main(["plot", *arguments])


POINT = {"fraction": 0.1, "units": 6, "accuracy": 90.0, "interval": [85.0, 94.0]}
ABLATION = {"format": 1, "meta": {"classes": 4}, "layer": "s5", "channels": 64}
ABLATION |= {"curves": {"static": [POINT], "dynamic": [POINT]}}
ACCURACY = {"accuracy": 50.0, "interval": [40.0, 60.0], "per_class": {"0": 50.0}}
ORDERS = dict.fromkeys(("ordered", "shuffled", "reversed", "frozen"), ACCURACY)
BATTERY = {"variants": {"ordered": ACCURACY}, "divergence": {}, "classes": 4}
ORDERS |= {"videos": 100, "orders": 5, "relative_drop": 0.0, "relative_drop_interval": [-9.0, 9.0]}


@pytest.fixture
def runs(make_report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in ("a", "b"):
        for epoch in (1, 2):
            report = make_report({"s1": 3, "head": 4}, seed=epoch)
            report.save(tmp_path / run / "bias" / f"epoch_{epoch:05d}.json")
        Path(run, "bias", "ablation.json").write_text(json.dumps(ABLATION))
        Path(run, "bias", "orders.json").write_text(json.dumps(ORDERS))
        Path(run, "bias", "battery.json").write_text(json.dumps(BATTERY))
    Path("empty").mkdir()
    Path("text.json").write_text("not json")
    Path("list.json").write_text("[1]")
    Path("newer.json").write_text('{"format": 2}')


GOOD = {
    "one run": ["--over-epochs", "a"],
    "its bias folder": ["--over-epochs", "a/bias"],
    "two runs": ["--over-epochs", "a", "b/", "--value", "score"],
    "a layer": ["--over-epochs", "a", "--layer", "s1"],
    "named": ["--over-epochs", "a", "b", "--names", "first", "second"],
    "ablation": ["--ablation", "a/bias/ablation.json"],
    "ablations": ["--ablation", "a/bias/ablation.json", "b/bias/ablation.json"],
    "named ablation": ["--ablation", "a/bias/ablation.json", "--names", "SlowOnly"],
    "orders": ["--orders", "a/bias/orders.json", "b/bias/orders.json"],
    "battery": ["--battery", "a/bias/battery.json"],
    "batteries": ["--battery", "a/bias/battery.json", "b/bias/battery.json"],
}


@pytest.mark.parametrize("case", GOOD)
def test_a_figure_is_written(runs, case, capsys):
    assert plot([*GOOD[case], "--out", "figures/a.png"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("figures/a.png").read_bytes().startswith(b"\x89PNG")


BAD = {
    "nothing": (
        [],
        "exactly one of REPORT, --over-epochs, --ablation, --orders, --battery, --top-clips, "
        "--maximised, but got none",
    ),
    "two": (["--orders", "x", "--ablation", "y"], "but got --ablation and --orders"),
    "no folder": (["--over-epochs", "c"], "none at c: give an OUTPUT_DIR"),
    "no epochs": (["--over-epochs", "empty"], "BIAS.ENABLE True"),
    "layer": (["--over-epochs", "a", "--layer", "s11"], "did you mean s1"),
    "layer of runs": (["--over-epochs", "a", "b", "--layer", "s9"], "a: Expected a layer"),
    "twice": (["--over-epochs", "a", "a"], "names that differ"),
    "names": (["--orders", "a/bias/orders.json", "--names", "x", "y"], "2 names for 1 runs"),
    "kind": (["--over-epochs", "a", "--kind", "units"], "no --kind with --over-epochs"),
    "value": (["--orders", "a/bias/orders.json", "--value", "score"], "no --value with --orders"),
    "missing": (["--orders", "none.json"], "bias/orders.json of a run.*none.json cannot be read"),
    "text": (["--ablation", "text.json"], "bias/ablation.json of a run.*text.json is not JSON"),
    "list": (["--ablation", "list.json"], "list.json holds a list, not an object"),
    "newer": (["--orders", "newer.json"], "format 1 or older, but newer.json has format 2"),
    "other battery": (["--battery", "a/bias/orders.json"], "no variants and no divergence"),
    "other": (["--orders", "a/bias/ablation.json"], "no accuracy for ordered"),
    "swapped": (["--ablation", "a/bias/orders.json"], "with layer, channels"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_one_line_and_status_2(runs, capsys, case):
    arguments, message = BAD[case]
    assert plot([*arguments, "--out", "a.png"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.fullmatch(rf"error: .*{message}.*\n", err), err
    assert not Path("a.png").exists()
