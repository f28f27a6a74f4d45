"""Every file of results that a run leaves: strict JSON of one form, which names its config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.studies.sweep import sweep
from slowfast_bias.engine.studies.sweep_runs import plan
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]

KEYS = {"format", "kind", "meta", "data"}
OFF = ["TRAIN.ENABLE", False, "TEST.ENABLE", False]
FEW = ["BIAS.ABLATION.FRACTIONS", [0.0, 0.5], "BIAS.ABLATION.SEEDS", [0]]


def bare(word):
    raise ValueError(f"{word} is no JSON")


def strict(text):
    return json.loads(text, parse_constant=bare)


def results_in(folder):
    """{path below the folder: content} of all JSON files."""
    return {str(p.relative_to(folder)): strict(p.read_text()) for p in Path(folder).rglob("*.json")}


@pytest.fixture
def wrong(tiny, tmp_path):
    """Options of a network that is always wrong, so that nothing can be lost, with dead units."""
    few = ["BIAS.TOY.NUM_TEST", 3, *FEW]
    cfg = tiny(*few)
    dataset = open_dataset("toyvideos", cfg, "test")
    absent = min(set(range(4)) - {dataset.target(video) for video in range(3)})
    model = network.build_network(cfg)
    with torch.no_grad():
        model.s1.pathway0_stem.conv.weight[:3].zero_()
        model.head.projection.bias[absent] = 1e6
    path = str(tmp_path / "wrong.pyth")
    torch.save({"model_state": model.state_dict()}, path)
    return ["TEST.CHECKPOINT_FILE_PATH", path, *few]


def test_files_of_a_whole_run_are_strict_json_of_one_form_and_name_their_config(tiny, tmp_path):
    cfg = tiny(
        "BIAS.ENABLE", True, "BIAS.BASELINE", True, "BIAS.PERIOD", 1, "BIAS.SHUFFLE.TEST", True,
        "BIAS.ABLATION.ENABLE", True, *FEW,
    )  # fmt: skip
    engine.run(cfg)
    found = results_in(cfg.OUTPUT_DIR)
    kinds = {
        "bias/report.json": "report", "bias/untrained.json": "report",
        "bias/epoch_00001.json": "report", "bias/epoch_00002.json": "report",
        "bias/orders.json": "frame_orders", "bias/ablation.json": "silencing",
    }  # fmt: skip
    assert {path: content["kind"] for path, content in found.items()} == kinds
    for path, content in found.items():
        assert set(content) == KEYS | ({"layers"} if content["kind"] == "report" else set())
        assert content["format"] == 1
        assert content["meta"]["model"] == "ResNet slow depth 18"
        config = content["meta"]["config"]
        assert Path(config).is_file(), path
        assert engine.load_cfg(config).dump() == cfg.dump()
    for line in Path(Outputs(cfg.OUTPUT_DIR).stats).read_text().splitlines():
        strict(line)


def test_numbers_that_are_none_are_null(tiny, wrong):
    cfg = tiny(*wrong)
    engine.measure(cfg)
    engine.test_orders(cfg)
    engine.ablate(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    found = results_in(cfg.OUTPUT_DIR)
    assert len(found) == 3 and all(set(content) >= KEYS for content in found.values())
    orders = read_result(outputs.frame_orders, "frame_orders").data
    assert orders["ordered"]["accuracy"] == 0
    assert orders["relative_drop"] is None and orders["relative_drop_interval"] == [None, None]
    dead = found["bias/report.json"]["layers"]["s1"]["correlation"]["static"][:3]
    assert dead == [None] * 3
    assert BiasReport.load(outputs.report())["s1"].units()["dead"][:3] == [0, 1, 2]
    for line in Path(outputs.stats).read_text().splitlines():
        strict(line)


@pytest.mark.parametrize(
    ("switches", "files"),
    [
        (["BIAS.ENABLE", True], ["report"]),
        (["BIAS.ENABLE", True, "BIAS.BASELINE", True], ["report", "untrained"]),
        (["BIAS.SHUFFLE.TEST", True], ["orders"]),
        (["BIAS.ABLATION.ENABLE", True], ["ablation", "report"]),
    ],
)
def test_a_step_alone_leaves_the_config_that_its_files_name(tiny, wrong, switches, files):
    cfg = tiny(*OFF, *wrong, *switches)
    engine.run(cfg)
    found = results_in(cfg.OUTPUT_DIR)
    assert sorted(found) == [f"bias/{name}.json" for name in files]
    for content in found.values():
        named = engine.load_cfg(content["meta"]["config"])
        if content["kind"] == "report" and cfg.BIAS.ABLATION.ENABLE:  # measured for its layer
            assert [*cfg.BIAS.LAYERS, cfg.BIAS.ABLATION.LAYER] == named.BIAS.LAYERS
            named.defrost()
            named.BIAS.LAYERS = cfg.BIAS.LAYERS
        assert named.dump() == cfg.dump()


def test_a_later_step_with_other_settings_leaves_the_config_of_an_earlier_one(tiny):
    measured = tiny(*OFF, "BIAS.ENABLE", True, "BIAS.THRESHOLD", 0.3, "SOLVER.MAX_EPOCH", 1)
    engine.train(measured)
    engine.run(measured)
    later = ["BIAS.ABLATION.ENABLE", True, "BIAS.ABLATION.FRACTIONS", [0.5], "BIAS.SHUFFLE.TEST"]
    engine.run(tiny(*OFF, *later, True, "SOLVER.MAX_EPOCH", 1))
    found = results_in(measured.OUTPUT_DIR)
    thresholds = {
        path: engine.load_cfg(content["meta"]["config"]).BIAS.THRESHOLD
        for path, content in found.items()
    }
    assert thresholds == {
        "bias/report.json": 0.3, "bias/orders.json": 0.5, "bias/ablation.json": 0.5,
    }  # fmt: skip


def test_epoch_reports_alone_name_a_config_that_is_there(tiny):
    cfg = tiny("BIAS.ENABLE", True, "BIAS.PERIOD", 1)
    engine.train(cfg)
    found = results_in(cfg.OUTPUT_DIR)
    assert sorted(found) == ["bias/epoch_00001.json", "bias/epoch_00002.json"]
    for content in found.values():
        assert engine.load_cfg(content["meta"]["config"]).dump() == cfg.dump()


def test_files_of_a_sweep_are_strict_json_of_the_same_form(tiny, tmp_path):
    net, out = tmp_path / "net.yaml", tmp_path / "out"
    net.write_text(tiny("BIAS.NUM_VIDEOS", 4, "SOLVER.MAX_EPOCH", 1).dump())
    (run,) = runs = plan([str(net)], ["none"])
    outcome = sweep(str(out), runs)
    found = results_in(out)
    assert {path: content["kind"] for path, content in found.items()} == {
        "rows.json": "sweep", f"{run.name}/result.json": "sweep_run",
        f"{run.name}/bias/report.json": "report",
    }  # fmt: skip
    for content in found.values():
        assert set(content) - {"layers"} == KEYS and content["format"] == 1
    assert found["rows.json"]["data"] == [found[f"{run.name}/result.json"]["data"]] == outcome.rows
    assert Path(found[f"{run.name}/bias/report.json"]["meta"]["config"]).is_file()
