"""Files of other sources in a run: the colours they want, what reports say, a new classifier."""

from __future__ import annotations

import re

import pytest
import torch
from support.foreign_names import of_mmaction, of_pytorchvideo

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

pytestmark = pytest.mark.host

FORMS = {
    "mmaction2": lambda weights: {"state_dict": of_mmaction(weights), "meta": {}},
    "pytorchvideo": lambda weights: {"model_state": of_pytorchvideo(weights, (1, 2, 3, 4))},
}


@pytest.fixture
def foreign(tiny, tmp_path):
    """A function: a file of the tiny network in the form of a source, and the network."""

    def save(source, *opts):
        model = engine.build_network(tiny("RNG_SEED", 7, *opts))
        path = tmp_path / f"{source}.pkl"  # whatever it is called
        torch.save(FORMS[source](model.state_dict()), path)
        return str(path), model

    return save


def test_colours_of_another_source_are_refused_with_the_override_that_helps(tiny, foreign):
    path, model = foreign("mmaction2")
    words = ["TEST.CHECKPOINT_FILE_PATH", path]
    with pytest.raises(CheckpointError, match="DATA.MEAN and DATA.STD") as caught:
        engine.trained_network(tiny(*words))
    override = re.search(r"Add (DATA\.MEAN \S+ DATA\.STD \S+)\.$", str(caught.value))[1].split()
    assert override[1] == "[0.485,0.456,0.406]" and override[3] == "[0.229,0.224,0.225]"
    loaded = engine.trained_network(tiny(*words, *override)).state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())


def test_training_does_not_start_from_weights_of_other_colours(tiny, foreign):
    path, _ = foreign("mmaction2")
    words = ["TRAIN.CHECKPOINT_FILE_PATH", path, "SOLVER.MAX_EPOCH", 1]
    with pytest.raises(CheckpointError, match="DATA.MEAN and DATA.STD"):
        engine.train(tiny(*words))
    override = ["DATA.MEAN", "[0.485,0.456,0.406]", "DATA.STD", "[0.229,0.224,0.225]"]
    assert engine.train(tiny(*words, *override)).epochs == 1


@pytest.mark.parametrize("hint", ["pytorch", "caffe2"])
def test_a_hint_about_the_kind_of_file_changes_nothing(tiny, foreign, hint):
    path, model = foreign("pytorchvideo")
    for key in ("TEST", "TRAIN"):
        words = [f"{key}.CHECKPOINT_FILE_PATH", path, f"{key}.CHECKPOINT_TYPE", hint]
        loaded = engine.trained_network(tiny(*words)).state_dict()
        assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())


def test_a_report_names_the_source_whose_names_were_translated(tiny, foreign, tmp_path):
    path, _ = foreign("pytorchvideo")
    words = ["TEST.CHECKPOINT_FILE_PATH", path, "BIAS.LAYERS", ["head"]]
    report = engine.measure(tiny(*words))
    assert report.meta["weights_table"] == "pytorchvideo"
    saved = BiasReport.load(str(tmp_path / "run" / "bias" / "report.json"))
    assert saved.meta["weights_table"] == "pytorchvideo"
    assert "weights_table pytorchvideo" in saved.to_markdown()


def test_own_names_need_no_table(tiny, tmp_path):
    torch.save(engine.build_network(tiny()).state_dict(), tmp_path / "own.pyth")
    cfg = tiny("TEST.CHECKPOINT_FILE_PATH", str(tmp_path / "own.pyth"))
    assert open_trained(cfg).about == {"checkpoint": str(tmp_path / "own.pyth")}


def test_training_begins_with_a_new_classifier_only_if_it_is_asked_for(tiny, foreign):
    path, model = foreign("pytorchvideo", "MODEL.NUM_CLASSES", 7)
    words = ["TRAIN.CHECKPOINT_FILE_PATH", path, "SOLVER.MAX_EPOCH", 1]
    words += ["SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.STEPS", [0], "SOLVER.LRS", [1]]
    words += ["SOLVER.BASE_LR", 0.0]
    with pytest.raises(CheckpointError, match="set BIAS.NEW_CLASSIFIER True"):
        engine.train(tiny(*words))
    result = engine.train(tiny(*words, "BIAS.NEW_CLASSIFIER", True))
    weights = read_checkpoint(result.checkpoint)["model_state"]
    assert len(weights["head.projection.bias"]) == 4
    name = "s4.pathway0_res0.branch2.a.weight"
    assert torch.equal(weights[name], model.state_dict()[name])


def test_a_measurement_takes_no_new_classifier(tiny, foreign):
    path, _ = foreign("pytorchvideo", "MODEL.NUM_CLASSES", 7)
    with pytest.raises(CheckpointError, match="set MODEL.NUM_CLASSES 7"):
        engine.trained_network(tiny("TEST.CHECKPOINT_FILE_PATH", path, "BIAS.NEW_CLASSIFIER", True))


@pytest.fixture
def encoder(tiny, tmp_path):
    """The words for a file without a classifier, as far as it goes."""
    weights = engine.build_network(tiny("RNG_SEED", 7)).state_dict()
    kept = {name: value for name, value in weights.items() if not name.startswith("head.")}
    torch.save(kept, tmp_path / "encoder.pth")
    path = str(tmp_path / "encoder.pth")
    return ["TEST.CHECKPOINT_FILE_PATH", path, "BIAS.ALLOW_PARTIAL_WEIGHTS", True]


def test_an_encoder_is_measured_up_to_its_head_and_the_report_says_what_is_random(tiny, encoder):
    report = engine.measure(tiny(*encoder, "BIAS.BASELINE", True))
    assert list(report.layers) == ["s1", "s2", "s3", "s4", "s5"]
    fresh = ["head.projection.weight", "head.projection.bias"]
    assert sorted(report.meta["random_weights"]) == sorted(fresh)
    assert any("partial weights: 2 of the network's" in text for text in report.warnings)
    assert not any("recognises" in text for text in report.warnings)
    whole = engine.measure(tiny("TEST.CHECKPOINT_FILE_PATH", _whole(tiny)))
    for name, layer in report.layers.items():  # equal, dead units too
        same = whole.layers[name].correlation["static"]
        torch.testing.assert_close(layer.correlation["static"], same, equal_nan=True)
    assert "random_weights" not in whole.meta and "head" in whole.layers


def _whole(tiny):
    cfg = tiny("RNG_SEED", 7)
    path = f"{cfg.OUTPUT_DIR}.pth"
    torch.save(engine.build_network(cfg).state_dict(), path)
    return path


def test_its_head_and_its_accuracy_are_refused(tiny, encoder):
    with pytest.raises(ConfigError, match="BIAS.LAYERS: expected layers before the classifier"):
        engine.measure(tiny(*encoder, "BIAS.LAYERS", ["s5", "head"]))
    for flow in (engine.test, engine.test_orders, engine.ablate, engine.battery):
        with pytest.raises(CheckpointError, match="as accuracies are asked for"):
            flow(tiny(*encoder))
