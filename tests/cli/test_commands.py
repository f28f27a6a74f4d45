"""What all commands share: help with an example, one error boundary, one meaning of each flag."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, warm

from slowfast_bias import cli
from slowfast_bias.errors import UserError

FOLDER = ROOT / "slowfast_bias" / "cli"
# Arguments with which a command gets past its parser.
ENOUGH = {
    "run": ["--cfg", "x.yaml"], "test": ["--cfg", "x.yaml"], "check": ["--cfg", "x.yaml"],
    "battery": ["--cfg", "x.yaml"], "measure": ["--cfg", "x.yaml"], "layers": ["--cfg", "x.yaml"],
    "report": ["runs/a"],
    "compare": ["a.json"], "plot": ["a.json", "--out", "a.png"], "stylize": ["v", "--out", "o"],
    "styles": ["v"], "prepare": ["csv", "--lists", "l", "--out", "o"], "demo": [], "doctor": [],
    "sweep": ["--networks", "x.yaml", "--out", "o"], "models": [], "flow": ["i", "--out", "o"],
    "reproduce": ["fig3", "--toy"], "submit": ["run", "--cfg", "x.yaml"],
    "centre": ["--cfg", "x.yaml"], "maximise": ["x.yaml"],
}  # fmt: skip


def module(name):
    return importlib.import_module(f"slowfast_bias.cli.{name}")


def test_every_file_of_a_command_is_in_the_table_and_listed_by_help(capsys):
    files = {path.stem for path in FOLDER.glob("*.py") if "def add_arguments" in path.read_text()}
    assert files == set(cli.COMMANDS) == set(ENOUGH)
    for words in ([], ["--help"]):
        assert cli.main(words) == 0
        shown = capsys.readouterr().out
        assert all(f"  {name} " in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_has_an_example_and_whole_phrases(name, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert f"example:\n  slowfast_bias {name} " in shown.replace("\n\n", "\n") or (
        f"slowfast_bias {name}\n" in shown
    )
    parser = cli.make_parser(name, module(name))
    for action in parser._actions:
        words = (action.help or "").split()
        assert len(words) >= 2 and words[0] != "of", (action.dest, action.help)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_ctrl_c_is_one_line_and_130(name, capsys, monkeypatch):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(module(name), "main", interrupt)
    assert cli.main([name, *ENOUGH[name]]) == 130
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_an_error_of_the_user_is_one_line_and_2_and_a_bug_keeps_its_traceback(
    name, capsys, monkeypatch
):
    def fails(error):
        def main(args):
            raise error

        return main

    monkeypatch.setattr(module(name), "main", fails(UserError("Expected x, but got y.")))
    assert cli.main([name, *ENOUGH[name]]) == 2
    assert capsys.readouterr().err == "error: Expected x, but got y.\n"
    monkeypatch.setattr(module(name), "main", fails(ValueError("ours")))
    with pytest.raises(ValueError, match="ours"):
        cli.main([name, *ENOUGH[name]])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mesure"], "Did you mean measure?"),
        (["mesure", "--cfg", "x.yaml"], "Did you mean measure?"),
        (["nothing"], "one of demo, measure"),
        (["--help-keys", "NOTHING"], "one of AUG"),
        (["measure"], "--model NAME --weights FILE --videos DIR"),
        (["measure", "--model", "slow_r50", "--videos", "/"], "--weights is missing"),
        (["measure", "--model", "slow", "--weights", "w", "--videos", "/"], "slow_r50"),
        (["layers"], "FILE.yaml or --model NAME"),
        (["layers", "--cfg", "nowhere.yaml"], "nowhere.yaml is not there"),
        (["report", "nowhere"], "nowhere"),
        (["compare", "a.json", "--banks"], "two reports"),
        (["styles"], "Expected videos"),
        (["styles", "v", "--dirs", "a", "b", "--preview", "p.png"], "--preview"),
        (["check", "--cfg", "nowhere.yaml"], "nowhere.yaml is not there"),
    ],
)
@pytest.mark.host
def test_a_bad_request_is_one_line_and_2(words, says, capsys):
    if words[1:2] == ["NOTHING"]:
        says = "one of "
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and says in error and "Traceback" not in error


def test_an_argument_that_a_command_does_not_have_is_an_error(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["demo", "--helf"])
    assert caught.value.code == 2 and "--helf" in capsys.readouterr().err


@pytest.mark.host
def test_every_key_is_listed_with_meaning_range_and_default(capsys):
    from slowfast_bias.config.options import BIAS_OPTIONS

    assert cli.main(["--help-keys", "BIAS"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for option in BIAS_OPTIONS:
        assert f"{option.key} (default {option.default!r}" in shown
        assert " ".join(option.doc.split()) in shown and len(option.doc) > 10, option.key
        assert option.allowed() in shown
    assert cli.main(["--help-keys", "SOLVER.BASE_LR", "TRAIN"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"SOLVER.BASE_LR  \(default 0.1; at least 0\)\n    \w+", shown)
    assert "TRAIN.BATCH_SIZE" in shown and "TEST.BATCH_SIZE" not in shown
    assert cli.main(["--help-keys"]) == 0
    assert "DATA.MEAN" in capsys.readouterr().out


@pytest.mark.host
def test_layers_names_what_a_report_would(capsys):
    small = ["DATA.TRAIN_CROP_SIZE", "64", "RESNET.WIDTH_PER_GROUP", "8", "SLOWFAST.BETA_INV", "4"]
    assert cli.main(["layers", "--model", "slowfast_r50", *small]) == 0
    shown = capsys.readouterr().out
    assert "s5/1" in shown and "head" in shown and "modules" not in shown
    assert cli.main(["layers", "--model", "slow_r50", "--all", *small[:4]]) == 0
    assert re.search(r"s5.pathway0_res1.branch2.a +Conv3d", capsys.readouterr().out)
    asked = ["BIAS.LAYERS", "['s3', 's5.pathway0_res1']"]
    assert cli.main(["layers", "--model", "slow_r50", *small[:4], *asked]) == 0
    listed = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in listed] == ["s3", "s5.pathway0_res1"]
    assert all(line.endswith(" as (B, C, ?, ?, ?)") for line in listed)


@pytest.mark.host
def test_layers_of_a_file_with_the_shapes_of_all_modules(capsys):
    small = ["DATA.TRAIN_CROP_SIZE", "64", "RESNET.WIDTH_PER_GROUP", "8"]
    assert cli.main(["layers", "configs/Kinetics/SLOW_8x8_R50.yaml", "--all", *small]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^\* s5 +ResStage +\(1, 256, 8, 2, 2\)$", shown, re.MULTILINE)
    assert re.search(r"^  s5.pathway0_res0 +ResBlock +\(1, 256, 8, 2, 2\)$", shown, re.MULTILINE)


@pytest.mark.host
def test_doctor_names_the_host_and_the_decoder(capsys):
    from slowfast_bias import host

    assert cli.main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert f"SlowFast {host.name}" in shown and "pyav" in shown and "slowonly" not in shown
    assert "the main job can run" in shown


@pytest.mark.host
def test_doctor_says_what_a_missing_piece_would_give_and_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None)
    assert cli.main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for extra in ("hf", "tensorboard", "torchcodec"):
        assert f"pip install 'slowfast_bias[{extra}]'" in shown


@pytest.mark.host
def test_doctor_fails_if_the_main_job_cannot_run(capsys, monkeypatch):
    def absent(name):
        raise ImportError(f"no {name} here")

    reader = "slowfast_bias.datasets.decoding.read_frames.backend_version"
    monkeypatch.setattr(reader, absent)
    assert cli.main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "no pyav here" in shown and "pip install 'av>=17'" in shown
    assert "the main job cannot run: see decoder" in shown


@pytest.mark.host
def test_doctor_fails_without_a_host():
    code = "import sys; from slowfast_bias import cli; sys.exit(cli.main(['doctor']))"
    env = {**os.environ, "SLOWFAST_MAIN": "nowhere", "PYTHONPATH": str(ROOT)}
    done = warm.run(["-c", code], env=env)
    assert done.returncode == 1 and "BROKEN  host" in done.stdout


@pytest.mark.host
def test_models_names_every_config_with_its_clips_and_files(capsys):
    assert cli.main(["models", "--format", "csv"]) == 0
    rows = {row["config"]: row for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    leaves = {
        path.relative_to(ROOT / "configs").with_suffix("").as_posix()
        for path in (ROOT / "configs").glob("*/*.yaml")
        if path.parent.name != "Toy" and not path.name.startswith("Base-")
    }
    assert set(rows) == leaves
    slow = rows["Kinetics/SLOW_8x8_R50"]
    assert (slow["kind"], slow["frames x rate"], slow["pixels"]) == ("slowfast", "8 x 8", "224")
    assert (
        slow["here"] == "yes" and "SLOWONLY_8x8_R50.pkl (74.8)" in slow["published files (top-1 %)"]
    )
    assert rows["SSv2/SLOW_8x8_R50"]["frames x rate"] == "8 segments"
    assert cli.main(["models", "x3d", "ssv2"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2 and shown[1].startswith("SSv2/X3D_M ")
    assert cli.main(["models", "nothing-like-it"]) == 2


def test_a_network_is_named_as_its_config_with_or_without_the_folder():
    from slowfast_bias.cli.networks import find_network

    assert find_network("slow_8x8_r50") == "configs/Kinetics/SLOW_8x8_R50.yaml"
    assert find_network("SSv2/SLOW_8x8_R50") == "configs/SSv2/SLOW_8x8_R50.yaml"
    assert find_network("x3d_m") == "configs/Kinetics/X3D_M.yaml"
    assert find_network("timesformer") == "configs/HF/TIMESFORMER.yaml"  # for lists of Kinetics
    with pytest.raises(UserError, match="slowfast_bias models"):
        find_network("ssv2/no_such_network")


def test_every_published_file_has_a_config():
    from slowfast_bias.models.weights.published import FILES, SOURCES

    for file in FILES:
        assert (ROOT / "configs" / f"{file.config}.yaml").is_file(), file
        assert file.source in SOURCES


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "slowfast_bias", "--version"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0 and done.stdout.startswith(b"slowfast_bias 0.")


def test_former_import_paths_of_public_names_work():
    from slowfast_bias import add_bias_config, silenced
    from slowfast_bias.bias.report import BiasReport  # noqa: F401
    from slowfast_bias.bias.taps import Tap  # noqa: F401
    from slowfast_bias.config.node import add_bias_config as former_config
    from slowfast_bias.models.ablation import silenced as former_silenced
    from slowfast_bias.models.static_dropout import StaticDropout  # noqa: F401
    from slowfast_bias.run import main

    assert (former_config, former_silenced, main) == (add_bias_config, silenced, cli.main)
    assert Path(ROOT, "tools", "run_net.py").exists()
