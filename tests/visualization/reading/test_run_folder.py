"""Folders of runs: what is there is read, what is missing is empty, what is broken is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.pages import ABOUT, orders, rows, write_run, write_top_clips

from slowfast_bias.errors import RequestError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import ResultError, write_result
from slowfast_bias.visualization.reading.run_folder import has_results, read_runs


@pytest.fixture
def run(tmp_path, moving, untrained):
    return write_run(tmp_path / "run", moving, untrained, clips=False)


def test_everything_that_is_there_is_read(run, moving):
    (found,) = read_runs([run]).values()
    assert list(found.report.layers) == list(moving.layers)
    assert list(found.others) == ["untrained"] and list(found.epochs) == [1, 2, 4]
    assert found.orders["ordered"]["accuracy"] == 90 and found.orders["meta"] == ABOUT
    assert found.silencing["layer"] == "head" and "ordered" in found.battery["variants"]
    assert [row["reason"] for row in found.unreadable] == ["cut"]
    assert found.top_clips is None and found.rows == []
    names = ["report.json", "untrained.json", "orders.json", "ablation.json", "battery.json"]
    assert list(found.files) == names


def test_a_report_file_a_run_and_a_folder_of_runs_lead_to_the_same(run, plain, tmp_path):
    report = Outputs(run).report()
    assert read_runs([report]).keys() == read_runs([run, report]).keys() == {"run"}
    other = write_run(tmp_path / "z", plain, tests=False, clips=False)
    assert list(read_runs([str(tmp_path)])) == ["run", "z"] == list(read_runs([run, other]))
    plain.save(tmp_path / "alone.json")
    assert list(read_runs([str(tmp_path / "alone.json")])) == ["alone"]


def test_a_reproduction_has_its_runs_in_a_folder(plain, tmp_path):
    write_run(tmp_path / "runs" / "motion_fast", plain, tests=False, clips=False)
    (tmp_path / "fig3.json").write_text("{}")
    assert list(read_runs([str(tmp_path)])) == ["motion_fast"]


def test_the_demos_untrained_network_has_its_orders(run, plain, tmp_path):
    outputs = Outputs(str(tmp_path))
    plain.save(outputs.untrained())
    write_result(outputs.untrained_orders, "frame_orders", ABOUT, orders())
    found = read_runs([str(tmp_path)])
    assert list(found) == ["run", "untrained"] and found["untrained"].orders is not None


def test_names_are_as_long_as_they_must_be(plain, tmp_path):
    paths = [write_run(tmp_path / x, plain, tests=False, clips=False) for x in ("a/run", "b/run")]
    assert list(read_runs(paths)) == ["a/run", "b/run"]
    assert list(read_runs(paths, ["x", "y"])) == ["x", "y"]
    for names, says in ((["x"], "name for each of 2"), (["x", "x"], "'x' twice")):
        with pytest.raises(RequestError, match=says):
            read_runs(paths, names)


def test_results_of_before_there_were_kinds_are_read(tmp_path):
    path = Path(Outputs(str(tmp_path)).frame_orders)
    path.parent.mkdir()
    path.write_text(json.dumps(orders()))
    (found,) = read_runs([str(tmp_path)]).values()
    assert found.orders["shuffled"]["accuracy"] == 40


BROKEN = {
    "no JSON": ("bias/orders.json", "{", "orders.json is not JSON"),
    "another kind": ("bias/ablation.json", '{"kind": "sweep", "data": {}}', "ablation.json is of"),
    "newer": ("bias/report.json", '{"format": 7, "layers": {}}', "report.json has format 7"),
    "without entries": ("bias/orders.json", '{"data": {"x": 1}}', "`ordered`.*orders.json"),
    "no rows": ("rows.json", '{"kind": "sweep", "data": [1]}', "rows.*rows.json"),
    "beside": ("bias/untrained.json", "[", "untrained.json is not JSON"),
    "of an epoch": ("bias/epoch_00002.json", "[]", "epoch_00002.json holds a list"),
    "battery": ("bias/battery.json", '{"kind": "battery", "data": []}', "variants.*battery.json"),
}

# Valid JSON of the right kind, in which one value has a wrong shape: (file, place, value).
MISSHAPEN = [
    ("battery", ("variants",), [1, 2]),
    ("battery", ("variants", "shuffled"), 3),
    ("battery", ("variants", "ordered", "accuracy"), "x"),
    ("battery", ("variants", "ordered", "accuracy"), 1e300),
    ("battery", ("variants", "ordered", "interval"), [1]),
    ("battery", ("variants", "ordered", "per_class", "0"), "x"),
    ("battery", ("divergence", "shuffled"), 1),
    ("battery", ("divergence", "shuffled", "mean"), 1e300),
    ("battery", ("benchmarks", "scuba", "accuracy"), []),
    ("battery", ("variants",), None),
    ("battery", ("benchmarks", "conflfg", "dynamic"), [1]),
    ("battery", ("partners",), {}),
    ("battery", ("partners", "videos"), None),
    ("battery", ("partners", "pairs"), [1]),
    ("battery", ("lists", "temporal", "videos"), "x"),
    ("battery", ("classes",), "x"),
    ("orders", ("ordered",), 1),
    ("orders", ("relative_drop_interval",), 5),
    ("orders", ("orders",), [1]),
    ("ablation", ("curves", "static"), [{}]),
    ("ablation", ("curves", "static", 0, "accuracy"), "x"),
    ("top_clips", ("units",), [{}]),
    ("top_clips", ("units", 0, "classes"), [1]),
    ("top_clips", ("units", 0, "kind"), {}),
    ("top_clips", ("size",), 3),
]


def with_value(content, place, value):
    *way, last = place
    for key in way:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(("file", "place", "value"), MISSHAPEN)
def test_a_value_of_a_wrong_shape_is_named_with_its_file(run, file, place, value):
    path = Path(Outputs(run).report(file))
    if file == "top_clips":
        write_top_clips(run, units=1, clips=1, frames=1, size=8)
    content = json.loads(path.read_text())
    with_value(content["data"], place, value)
    path.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=f"{file}.json") as error:
        read_runs([run])
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("key", ["dropped_videos", "dropped_because", "classes", "layers_read"])
@pytest.mark.parametrize("file", ["orders", "report"])
def test_a_meta_of_a_wrong_shape_is_named(run, file, key):
    path = Path(Outputs(run).report(file))
    content = json.loads(path.read_text())
    content["meta"][key] = "x"
    path.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=rf"{key}.*{file}\.json"):
        read_runs([run])


@pytest.mark.parametrize(("key", "value"), [("rate", "x"), ("temperature", None)])
def test_a_row_of_a_wrong_shape_is_named(tmp_path, key, value):
    path, every = Outputs(str(tmp_path)).rows, rows()
    every[-1][key] = value
    write_result(path, "sweep", {}, every)
    with pytest.raises(ResultError, match=rf"{key}.*rows\.json"):
        read_runs([str(tmp_path)])


@pytest.mark.parametrize(("name", "content", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_in_one_line(run, name, content, says):
    Path(run, name).write_text(content)
    with pytest.raises(ResultError, match=says) as error:
        read_runs([run])
    assert "\n" not in str(error.value)


def test_a_folder_without_results_says_what_was_expected(tmp_path):
    assert not has_results(str(tmp_path))
    with pytest.raises(RequestError, match=r"bias/report\.json.*BIAS\.ENABLE True"):
        read_runs([str(tmp_path)])
    with pytest.raises(RequestError, match="none at .*nowhere"):
        read_runs([str(tmp_path / "nowhere")])


def test_a_sweep_is_its_rows(tmp_path, plain):
    write_result(Outputs(str(tmp_path)).rows, "sweep", {}, rows())
    write_run(tmp_path / "net-none-s0", plain, tests=False, clips=False)
    (found,) = read_runs([str(tmp_path)]).values()
    assert len(found.rows) == 8 and found.report is None
