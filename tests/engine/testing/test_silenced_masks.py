"""Silenced units of networks of masks: what is left is what the test itself scores."""

from __future__ import annotations

import functools
import os

import pytest
import torch
from support.segments import SMALL, TOY, write_flows, write_sequences

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.vote import as_filmed, vote
from slowfast_bias.files import write_whole
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]

SILENCED = [
    "BIAS.ABLATION.FRACTIONS", [0.0, 1.0], "BIAS.ABLATION.SEEDS", [0, 1],
    "BIAS.ABLATION.RANDOM_FROM", "least_biased", "BIAS.MASKS.CUT", 0.3,
]  # fmt: skip
LENGTHS = {"a": 4, "b": 3}


def save(cfg):
    """A checkpoint of random weights in OUTPUT_DIR."""
    torch.manual_seed(0)
    state = network.build_network(cfg).state_dict()
    with write_whole(Outputs(cfg.OUTPUT_DIR).checkpoint(1), "wb") as file:
        torch.save({"model_state": state, "epoch": 0}, file)


def test_nothing_silenced_is_the_test_and_layers_stand_in_one_file(tiny, tmp_path):
    write_sequences(tmp_path / "data", LENGTHS)
    write_flows(tmp_path / "data", LENGTHS)
    cfg = tiny(
        *SMALL, *SILENCED, "TRAIN.DATASET", "segments", "TEST.DATASET", "segments",
        "DATA.PATH_TO_DATA_DIR", str(tmp_path / "data"), "BIAS.SEGMENTS.SIZE", [32, 40],
        "BIAS.ABLATION.LAYERS", ["fuse2", "fuse5*"], "BIAS.MASKS.MIRROR", True,
    )  # fmt: skip
    save(cfg)
    data = engine.ablate(cfg)
    whole = engine.test(cfg).figures.masks.means()["J_mean"]
    layers = [data, *data["further"]]
    assert [x["layer"] for x in layers] == ["fuse2", "fuse5"]
    for found in layers:
        assert list(found["curves"]) == ["static", "dynamic", "random"] and found["score"] == "J"
        first, last = zip(*found["curves"].values(), strict=True)
        assert [x["J"] for x in first] == pytest.approx([whole] * 3)
        assert last[0]["J"] == last[1]["J"] == last[2]["J"]  # all units are silenced
        assert first[0]["sequences"] == 2 and len(first[2]["seeds"]) == 2
    written = read_result(Outputs(cfg.OUTPUT_DIR).silencing(), "silencing")
    assert {**written.data, "meta": written.meta} == data
    assert written.meta["random_from"].startswith("least_biased")
    assert written.meta["mirror"] is True


def test_overlaps_are_the_figures_of_the_test_whoever_counts(tiny):
    cfg = tiny(*TOY, "BIAS.MASKS.CUT", 0.3)
    model = network.build_network(cfg).eval()
    task = make_task(cfg, model)
    light = vote(cfg, task, as_filmed(task, model), "test", make_tally=task.overlaps)
    whole = vote(cfg, task, as_filmed(task, model), "test").figures("ordered")
    each = [row["J_mean"] for row in whole.masks.by_sequence().values()]
    assert (100 * light.tally.by_sequence(0)).tolist() == pytest.approx(each)


def test_layers_that_are_not_there_are_told_before_any_work(tiny):
    cfg = functools.partial(tiny, *TOY, *SILENCED)
    save(cfg())
    some = {"fuse9": "LAYERS: .*fuse9", "s*": "pattern of app2, mot2, fuse2.*'s"}
    for layer, words in some.items():
        with pytest.raises(ConfigError, match=words):
            engine.ablate(cfg("BIAS.ABLATION.LAYERS", [layer]))
    wrong = cfg("TRAIN.ENABLE", False, "BIAS.ENABLE", True, "BIAS.ABLATION.ENABLE", True)
    with pytest.raises(ConfigError, match="LAYER: .*MATNet, but got 's5'"):  # the default
        engine.run(wrong)
    assert not os.path.exists(Outputs(wrong.OUTPUT_DIR).report())


def test_weights_of_another_crossing_that_fit_are_refused(tiny):
    cfg = functools.partial(tiny, *TOY, "BIAS.SEGMENTATION.CROSSING")
    up = cfg("up")
    state = network.build_network(up).state_dict()
    content = {"model_state": state, "epoch": 0, "cfg": up.dump()}
    with write_whole(Outputs(up.OUTPUT_DIR).checkpoint(1), "wb") as file:
        torch.save(content, file)
    network.open_trained(up)
    with pytest.raises(CheckpointError, match="CROSSING up, with which .* but got both"):
        network.open_trained(cfg("both"))
