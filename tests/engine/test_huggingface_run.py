"""Whole runs of Hugging Face networks: measured, trained, resumed and tested by one folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.huggingface import BLOCKS, CLASSES, FRAMES, KINDS, SIDE, clips, edit_json, save_tiny
from support.videos import write_video

import slowfast_bias as sb
from slowfast_bias import cli, engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.setup.network import load_trained
from slowfast_bias.models.networks.huggingface import Huggingface, missing
from slowfast_bias.models.weights.huggingface_folder import read_pretrained
from slowfast_bias.models.weights.readers import CheckpointError

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(missing()), reason="no transformers here"),
]
MEASURE = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.ENABLE", True]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """{kind: a folder of its tiny network}."""
    found = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
    for kind, folder in found.items():
        save_tiny(folder, kind)
    return found


@pytest.fixture
def config(tiny, folders):
    """A function: the tiny config with the network of a folder."""

    def make(kind, *words, **more):
        return tiny("MODEL.ARCH", "hf", "BIAS.HF.FOLDER", str(folders[kind]), *words, **more)

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_all_that_a_measurement_needs(kind, config, folders):
    cfg = config(kind, *MEASURE, "BIAS.BASELINE", True, "BIAS.PRECISION", "bf16!")
    engine.run(cfg)
    trained, untrained = (
        BiasReport.load(f"{cfg.OUTPUT_DIR}/bias/{name}.json") for name in ("report", "untrained")
    )
    assert list(trained.layers) == [*BLOCKS[kind][0], "head"]
    assert trained.meta["checkpoint"] == str(folders[kind]) and str(folders[kind]) in str(
        trained.meta["model"]
    )
    assert trained.meta["mean"] == list(cfg.DATA.MEAN) and trained.meta["videos"] == 5
    said = [" ".join(report.meta["warnings"]) for report in (trained, untrained)]
    assert all("preprocessor_config.json" in text for text in said)
    assert "blind to the order" not in said[0]
    table = Path(f"{cfg.OUTPUT_DIR}/bias/report.md").read_text()
    for text in (said[1], table):  # before training
        assert ("blind to the order" in text) == (kind in ("timesformer", "vivit"))


TRAIN = [
    "TRAIN.ENABLE", True, "TEST.ENABLE", True, "BIAS.ENABLE", True, "BIAS.SHUFFLE.TEST", True,
    "SOLVER.OPTIMIZING_METHOD", "adamw", "SOLVER.ZERO_WD_1D_PARAM", True, "SOLVER.BASE_LR", 1e-3,
    "BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.PERIOD", 1,
    "BIAS.ABLATION.ENABLE", True, "BIAS.ABLATION.LAYER", "model.vjepa2.encoder.layer.1",
    "BIAS.ABLATION.FRACTIONS", [0.0, 0.5], "BIAS.ABLATION.SEEDS", [0],
]  # fmt: skip


def test_trains_tests_silences_and_resumes_as_any_network(config, folders):
    cfg = config("vjepa2", "TRAIN.CHECKPOINT_FILE_PATH", str(folders["vjepa2"]), *TRAIN)
    engine.run(cfg)
    out = Path(cfg.OUTPUT_DIR)
    last = out / "checkpoints" / "checkpoint_epoch_00002.pyth"
    whole = torch.load(last, weights_only=True)["model_state"]
    assert {"head.projection.weight"} < set(whole) and not any("predictor" in k for k in whole)
    assert {p.stem for p in (out / "bias").glob("*.json")} >= {"report", "orders", "ablation"}
    model = engine.build_network(cfg)
    assert load_trained(cfg, model)[0] == str(last)  # before the folder
    last.unlink()
    engine.run(config("vjepa2", "TRAIN.CHECKPOINT_FILE_PATH", str(folders["vjepa2"]), *TRAIN))
    again = torch.load(last, weights_only=True)["model_state"]
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_training_starts_from_the_folder_only_if_that_is_said(config, folders):
    words = ["TRAIN.ENABLE", True, "TEST.ENABLE", False, "SOLVER.BASE_LR", 1e-12,
             "SOLVER.MAX_EPOCH", 1, "OUTPUT_DIR"]  # fmt: skip
    published = read_pretrained(
        str(folders["videomae"]), Huggingface(str(folders["videomae"]), CLASSES)
    )["model_state"]
    out = Path(config("videomae").OUTPUT_DIR)
    starts = {"fresh": "", "tuned": str(folders["videomae"])}
    for name, start in starts.items():
        cfg = config("videomae", *words, str(out / name), "TRAIN.CHECKPOINT_FILE_PATH", start)
        engine.run(cfg)
        file = out / name / "checkpoints" / "checkpoint_epoch_00001.pyth"
        state = torch.load(file, weights_only=True)["model_state"]
        same = all(torch.allclose(published[k], state[k], atol=1e-6) for k in state)
        assert same == bool(start)
        log = (out / name / "stdout.log").read_text()
        assert ("starts from random weights" in log) == (not start)


def test_other_weights_and_other_classes(config, folders):
    model = engine.build_network(config("videomae"))
    with pytest.raises(CheckpointError, match="which BIAS.HF.FOLDER describes, but"):
        load_trained(config("videomae", "TEST.CHECKPOINT_FILE_PATH", str(folders["vivit"])), model)
    cfg = config("videomae", "MODEL.NUM_CLASSES", CLASSES + 1)
    with pytest.raises(CheckpointError, match=f"{CLASSES} classes"):
        load_trained(cfg, engine.build_network(cfg))


def test_files_fill_in_what_a_config_leaves_open(folders, tmp_path):
    processor = folders["videomae"] / "preprocessor_config.json"
    words = ["MODEL.ARCH", "hf", "BIAS.HF.FOLDER", str(folders["videomae"]), "NUM_GPUS", 0]
    words += ["DATA.INPUT_CHANNEL_NUM", [3]]
    edit_json(processor, image_mean=[0.1, 0.2, 0.3], image_std=[0.5] * 3)
    try:
        cfg = engine.load_cfg((), words)
        given = engine.load_cfg((), [*words, "DATA.MEAN", [0.4] * 3, "MODEL.NUM_CLASSES", 9])
    finally:
        processor.unlink()
    assert (cfg.DATA.NUM_FRAMES, cfg.DATA.TEST_CROP_SIZE) == (FRAMES, SIDE)
    assert (cfg.MODEL.MODEL_NAME, cfg.MODEL.NUM_CLASSES) == ("Huggingface", CLASSES)
    assert cfg.DATA.MEAN == [0.1, 0.2, 0.3] and cfg.MODEL.DROPOUT_RATE == 0
    assert given.DATA.MEAN == [0.4] * 3 and given.DATA.STD == [0.5] * 3
    assert given.MODEL.NUM_CLASSES == 9


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["DATA.NUM_FRAMES", 16], "DATA.NUM_FRAMES: expected 8, which"),
        (["DATA.TEST_CROP_SIZE", 40], "DATA.TEST_CROP_SIZE: expected 32, which"),
        (["BIAS.HF.FOLDER", ""], "BIAS.HF.FOLDER: expected the folder"),
        (["BIAS.HF.FOLDER", "nowhere"], "there is no such folder"),
    ],
)
def test_a_config_that_the_network_cannot_follow_is_refused(words, says, config):
    with pytest.raises(ConfigError, match=says):
        config("videomae", *words)


def test_one_line_measures_a_folder(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    for name in "abc":
        write_video(tmp_path / "videos" / f"{name}.mp4", frames=20, size=(48, 40))
    words = ["--model", "videomae", "--weights", str(folders["videomae"]), "--videos", "videos"]
    assert cli.main(["measure", *words, "--workers", "0", "DATA.SAMPLING_RATE", "1"]) == 0
    assert "model.videomae.encoder.layer.1" in capsys.readouterr().out
    words = ["--model", "vivit", "BIAS.HF.FOLDER", str(folders["vivit"])]
    assert cli.main(["layers", *words]) == 0
    assert "1 leading token left out" in capsys.readouterr().out


def test_the_wrapper_is_measured_from_python(folders):
    model = Huggingface(str(folders["videoprism_vision_model"]), CLASSES).eval()
    report = sb.measure(model, clips(6).sigmoid(), mean=[0.0] * 3, std=[1.0] * 3, progress=False)
    assert list(report.layers) == [*BLOCKS["videoprism_vision_model"][0], "head"]
