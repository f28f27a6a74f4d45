"""slowfast_bias measure: without a config, a list or labels it does what its long command does."""

from __future__ import annotations

import contextlib
import io
import shlex

import pytest
import torch
from support.foreign_names import of_mmaction
from support.videos import write_video

from slowfast_bias import cli, engine
from slowfast_bias.bias import BiasReport

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("draft_figures")]

SMALL = [
    "RESNET.WIDTH_PER_GROUP", "8", "DATA.TRAIN_CROP_SIZE", "32", "DATA.TEST_CROP_SIZE", "32",
    "DATA.TRAIN_JITTER_SCALES", "[32, 40]", "DATA.NUM_FRAMES", "8", "DATA.SAMPLING_RATE", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of videos in folders, and the weights of a small network with 7 classes."""
    folder = tmp_path_factory.mktemp("short")
    for name in ("a.mp4", "day 1/b.mp4", "day 1/c.mp4", "day 2/d.mp4"):
        path = folder / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, frames=20, size=(48, 40))
    words = ["NUM_GPUS", 0, "MODEL.NUM_CLASSES", 7, *SMALL]
    cfg = engine.load_cfg("configs/Kinetics/SLOW_8x8_R50.yaml", words)
    torch.save({"model_state": engine.build_network(cfg).state_dict()}, folder / "slow.pyth")
    return folder


def layers(folder):
    return BiasReport.load(str(folder / "bias" / "report.json")).to_csv()


@pytest.fixture(scope="module")
def measured(place):
    """What the short way prints; its results are in bias_slow."""
    shown = io.StringIO()
    words = ["measure", "--model", "slow_r50", "--weights", "slow.pyth", "--videos", "videos"]
    with contextlib.chdir(place), contextlib.redirect_stdout(shown):
        assert cli.main([*words, "--workers", "0", *SMALL]) == 0
    return shown.getvalue()


def test_one_line_measures_and_prints_the_long_command(place, measured, monkeypatch):
    monkeypatch.chdir(place)
    out = place / "bias_slow"
    for name in ("report.json", "report.csv", "report.md", "report.png", "config.yaml"):
        assert (out / "bias" / name).stat().st_size
    meta = BiasReport.load(str(out / "bias" / "report.json")).meta
    assert (meta["videos"], meta["classes"], meta["dropped_videos"]) == (4, 7, [])
    long = measured.rpartition("the same in full:\n")[2].strip()
    program, *arguments = shlex.split(long)
    assert program == "slowfast_bias"
    again = [*arguments, "OUTPUT_DIR", str(place / "again")]
    assert cli.main(again) == 0
    assert layers(place / "again") == layers(out)


@pytest.mark.parametrize(("flags", "clips"), [([], 0), (["--top-clips", "4"], 4)])
def test_top_clips_are_a_key_of_the_long_command(place, monkeypatch, capsys, flags, clips):
    monkeypatch.chdir(place)
    seen = []
    monkeypatch.setattr(engine, "run", seen.append)
    words = ["measure", "--model", "slow_r50", "--weights", "slow.pyth", "--videos", "videos"]
    assert cli.main([*words, "--out", "clips", *flags, *SMALL]) == 0
    assert clips == seen[0].BIAS.TOP_CLIPS
    assert ("BIAS.TOP_CLIPS 4" in capsys.readouterr().out) == bool(clips)
    with pytest.raises(SystemExit):
        cli.main([*words, "--top-clips", "-1"])
    assert "expected at least 0, but got '-1'" in capsys.readouterr().err


def test_the_untrained_twin_is_a_reference_unless_it_is_left_out(
    place, measured, monkeypatch, capsys
):
    monkeypatch.chdir(place)
    assert cli.main(["report", "bias_slow"]) == 0
    assert "untrained, head" in capsys.readouterr().out
    page = (place / "bias_slow" / "bias" / "report.md").read_text()
    assert "| untrained, head |" in page and "BIAS.BASELINE True" in measured
    assert (place / "bias_slow" / "bias" / "untrained.json").exists()
    words = ["measure", "--model", "slow_r50", "--weights", "slow.pyth", "--videos", "videos"]
    for i, without in enumerate((["--no-baseline"], ["BIAS.BASELINE", "False"])):
        assert cli.main([*words, "--out", f"alone{i}", *without, *SMALL]) == 0
        assert not (place / f"alone{i}" / "bias" / "untrained.json").exists()
        assert layers(place / f"alone{i}") == layers(place / "bias_slow")
        capsys.readouterr()
        assert cli.main(["report", f"alone{i}"]) == 0
        assert "untrained, head" not in capsys.readouterr().out


def test_a_yaml_file_and_a_folder_of_results_may_be_given(place, measured, monkeypatch):
    cfg = engine.load_cfg("configs/Kinetics/SLOW_8x8_R50.yaml", ["NUM_GPUS", 0, *SMALL])
    monkeypatch.chdir(place)
    (place / "mine.yaml").write_text(cfg.dump())
    words = ["measure", "--model", "mine.yaml", "--weights", "slow.pyth", "--videos", "videos"]
    assert cli.main([*words, "--out", "elsewhere", "BIAS.LAYERS", "['s1', 'head']"]) == 0
    report = BiasReport.load(str(place / "elsewhere" / "bias" / "report.json"))
    assert list(report.layers) == ["s1", "head"]
    assert (
        layers(place / "bias_slow").splitlines()[1] == layers(place / "elsewhere").splitlines()[1]
    )


def test_a_config_measures_without_training_or_testing(place, measured, tmp_path):
    words = ["NUM_GPUS", "0", *SMALL, "MODEL.NUM_CLASSES", "7", "TRAIN.DATASET", "videos"]
    words += ["BIAS.DATA.FORMAT", "unlabelled", "DATA.PATH_TO_DATA_DIR", str(place / "videos")]
    words += ["TEST.CHECKPOINT_FILE_PATH", str(place / "slow.pyth"), "OUTPUT_DIR", str(tmp_path)]
    words += ["BIAS.STYLES.FAMILY", "grade"]  # the short way's
    assert cli.main(["measure", "--cfg", "configs/Kinetics/SLOW_8x8_R50.yaml", *words]) == 0
    assert layers(tmp_path).splitlines()[1:] == layers(place / "bias_slow").splitlines()[1:]
    assert not (tmp_path / "checkpoints").exists()


def test_a_file_of_another_source_brings_its_colours_and_its_classes(place, monkeypatch, capsys):
    weights = torch.load(place / "slow.pyth", weights_only=True)["model_state"]
    torch.save({"state_dict": of_mmaction(weights)}, place / "other.pth")
    monkeypatch.chdir(place)
    words = ["measure", "--model", "slow_r50", "--weights", "other.pth", "--videos", "videos"]
    words += ["--no-baseline", "--workers", "0", *SMALL, "BIAS.LAYERS", "['head']"]
    assert cli.main(words) == 0
    long = shlex.split(capsys.readouterr().out.rpartition("the same in full:\n")[2])
    given = dict(zip(long[2::2], long[3::2], strict=False))
    assert given["DATA.MEAN"] == "[0.485, 0.456, 0.406]"
    assert given["DATA.STD"] == "[0.229, 0.224, 0.225]" and given["MODEL.NUM_CLASSES"] == "7"
    meta = BiasReport.load(str(place / "bias_other" / "bias" / "report.json")).meta
    assert (meta["weights_table"], meta["classes"]) == ("mmaction2", 7)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--videos", "nowhere"], "'nowhere' is none"),
        (["--weights", "nowhere.pyth"], "no such file"),
        (["--model", "slow_r5"], "one of c2d_r50"),
        (["--videos", "empty"], "zero videos"),
    ],
)
def test_what_is_missing_is_one_line(place, monkeypatch, capsys, change, says):
    monkeypatch.chdir(place)
    (place / "empty").mkdir(exist_ok=True)
    given = {"--model": "slow_r50", "--weights": "slow.pyth", "--videos": "videos"}
    given[change[0]] = change[1]
    words = [word for pair in given.items() for word in pair]
    assert cli.main(["measure", *words, *SMALL]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and says in error and len(error.splitlines()) == 1
