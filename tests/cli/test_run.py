"""The command line: flags in every spelling, and errors that can be read."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import ROOT, warm

from slowfast_bias import cli, engine, host
from slowfast_bias.cli.arguments import find_config
from slowfast_bias.datasets import contract
from slowfast_bias.engine import steps
from slowfast_bias.engine.preflight.lists import check_lists
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import CheckpointError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("draft_figures")]


@pytest.fixture
def calls(monkeypatch):
    """What the command line asked the engine for, without doing it."""
    asked = []
    names = {step.flow: step.name for step in steps.STEPS}

    def launch(cfg, flow, init=None):
        asked.append((names[getattr(flow, "func", flow)], cfg, init))
        return SimpleNamespace(report=None)

    monkeypatch.setattr(steps, "launch", launch)
    return asked


@pytest.fixture
def yaml(tiny, tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny().dump())
    return str(path)


def config_of(calls, *arguments):
    calls.clear()
    assert cli.main(arguments) == 0
    return calls[0][1]


def test_train_and_test_run_as_they_are_enabled(calls, yaml):
    for train, test in ((True, True), (True, False), (False, True), (False, False)):
        calls.clear()
        opts = ["TRAIN.ENABLE", str(train), "TEST.ENABLE", str(test)]
        assert cli.main(["--cfg", yaml, *opts]) == 0
        assert [name for name, *_ in calls] == ["train"] * train + ["test"] * test


@pytest.mark.parametrize("before", [[], ["--opts"]])
def test_key_value_pairs_with_and_without_opts(calls, yaml, before):
    words = ["LOG_PERIOD", "7", "BIAS.THRESHOLD", "-0.5", "DATA.MEAN", "[-1, 0.5, 1e-1]"]
    cfg = config_of(calls, "--cfg", yaml, *before, *words)
    assert (cfg.LOG_PERIOD, cfg.BIAS.THRESHOLD, cfg.DATA.MEAN) == (7, -0.5, [-1, 0.5, 0.1])


def test_pairs_may_stand_anywhere(calls, yaml):
    orders = [
        ["LOG_PERIOD", "7", "--cfg", yaml, "BIAS.THRESHOLD", "-.5"],
        ["--cfg", yaml, "LOG_PERIOD", "7", "--init_method", "x", "BIAS.THRESHOLD", "-.5"],
        ["--cfg", yaml, "LOG_PERIOD", "7", "--opts", "BIAS.THRESHOLD", "-.5"],
        [f"--cfg={yaml}", "--opts", "LOG_PERIOD", "7", "BIAS.THRESHOLD", "-5e-1"],
    ]
    for words in orders:
        cfg = config_of(calls, *words)
        assert (cfg.LOG_PERIOD, cfg.BIAS.THRESHOLD) == (7, -0.5), words


def test_several_files_in_their_order(calls, yaml, tmp_path):
    for name, period in (("a", 5), ("b", 6)):
        (tmp_path / name).write_text(f"LOG_PERIOD: {period}")
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert config_of(calls, "--cfg", yaml, "--cfg", a, "--cfg", b).LOG_PERIOD == 6
    assert config_of(calls, "--cfg", yaml, "--cfg", b, "--cfg", a).LOG_PERIOD == 5
    assert config_of(calls, "--cfg", yaml, "--cfg", b, "LOG_PERIOD", "9").LOG_PERIOD == 9


@pytest.mark.parametrize("dash", ["_", "-"])
def test_flags_in_both_spellings(calls, yaml, dash, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    words = [f"--num{dash}shards", "2", f"--shard{dash}id", "1", f"--init{dash}method", "tcp://a:1"]
    cfg = config_of(calls, *words, "--cfg", yaml, "NUM_GPUS", "2")
    assert (cfg.NUM_SHARDS, cfg.SHARD_ID, calls[0][2]) == (2, 1, "tcp://a:1")


def test_a_shard_id_alone_is_not_forgotten(yaml, capsys):
    assert cli.main(["--cfg", yaml, "--shard_id", "3"]) == 2
    assert "SHARD_ID 3" in capsys.readouterr().err


def test_a_config_that_comes_with_the_package_is_found_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = find_config("configs/Toy/SLOW_motion.yaml")
    assert Path(found).is_absolute() and Path(found).exists()
    (tmp_path / "configs/Toy").mkdir(parents=True)
    (tmp_path / "configs/Toy/SLOW_motion.yaml").write_text("")
    assert find_config("configs/Toy/SLOW_motion.yaml") == "configs/Toy/SLOW_motion.yaml"
    assert find_config("nowhere.yaml") == "nowhere.yaml"


# -- errors --------------------------------------------------------------------------------------


def test_bad_arguments_exit_with_two_and_the_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["run"])
    assert caught.value.code == 2
    assert "usage: slowfast_bias run --cfg FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["TRAIN.BATCHSIZE", "4"], "did you mean TRAIN.BATCH_SIZE?"),
        (["--num_shard", "2"], "unknown key --num_shard"),
        (["LOG_PERIOD"], "'LOG_PERIOD' has no value"),
        (["BIAS.STATISTIC", "kendall"], "expected one of pearson, pooled"),
        (["OUTPUT_DIR", "/dev/null/x"], "OUTPUT_DIR '/dev/null/x'"),
        (["TRAIN.CHECKPOINT_FILE_PATH", "/none.pyth"], "no such file"),
        (["TRAIN.ENABLE", "False"], "TEST.CHECKPOINT_FILE_PATH is empty"),
        (["TRAIN.DATASET", "kinetics", "DATA.PATH_TO_DATA_DIR", "/none"], "/none/train.csv"),
        (["TRAIN.DATASET", "nothing"], "got 'nothing'"),
        (["MODEL.NUM_CLASSES", "9"], "MODEL.NUM_CLASSES 4"),
        (["DATA.NUM_FRAMES", "4"], "multiple of 8"),
        (["SOLVER.BASE_LR", "1e30"], "finite loss"),
        (["TRAIN.BATCH_SIZE", "64"], "Lower TRAIN.BATCH_SIZE"),
    ],
)
def test_errors_of_the_user_are_one_message_and_status_two(yaml, capsys, words, says):
    assert cli.main(["--cfg", yaml, *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and says in error and "Traceback" not in error


def test_a_file_that_is_not_there(capsys):
    assert cli.main(["--cfg", "nowhere.yaml"]) == 2
    assert "nowhere.yaml is not there" in capsys.readouterr().err


def test_errors_of_ours_keep_their_traceback(yaml, monkeypatch):
    def breaks(*_):
        raise ValueError("ours")

    monkeypatch.setattr(steps, "launch", breaks)
    with pytest.raises(ValueError, match="ours"):
        cli.main(["--cfg", yaml])


# -- lists of later steps ------------------------------------------------------------------------


@pytest.fixture
def lists(tmp_path):
    """Words for real videos with sound lists of all splits; nothing of them is ever decoded."""
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.csv").write_text("a.mp4 0\nb.mp4 3\n")
    return [
        "TRAIN.DATASET", "videos", "TEST.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", str(tmp_path),
        "DATA.PATH_PREFIX", str(tmp_path), "DATA.TRAIN_JITTER_SCALES", "[36, 40]",
    ]  # fmt: skip


@pytest.mark.parametrize("dataset", ["videos", "kinetics"])
@pytest.mark.parametrize(
    ("step", "split"),
    [
        (["TRAIN.ENABLE", "True"], "train"),
        (["TRAIN.ENABLE", "True"], "val"),
        (["BIAS.ENABLE", "True", "BIAS.SPLIT", "val"], "val"),
        (["BIAS.ENABLE", "True", "BIAS.SPLIT", "test"], "test"),
        (["TEST.ENABLE", "True"], "test"),
        (["BIAS.SHUFFLE.TEST", "True"], "test"),
        (["BIAS.ABLATION.ENABLE", "True"], "test"),
    ],
)
def test_the_lists_of_all_steps_are_read_before_the_first(
    calls, yaml, lists, tmp_path, capsys, step, split, dataset
):
    off = ["TRAIN.ENABLE", "False", "TEST.ENABLE", "False"]
    of_split = "TEST.DATASET" if split == "test" else "TRAIN.DATASET"
    words = ["--cfg", yaml, *lists, of_split, dataset, *off, *step]
    for spoilt, says in (("a.mp4 0\nb.mp4 9\n", "row 2"), (None, f"{split}.csv")):
        path = tmp_path / f"{split}.csv"
        path.unlink() if spoilt is None else path.write_text(spoilt)
        assert cli.main(words) == 2
        assert says in capsys.readouterr().err and calls == []


def test_a_list_of_a_step_that_is_off_is_not_asked_for(calls, yaml, lists, tmp_path):
    (tmp_path / "test.csv").unlink()
    assert cli.main(["--cfg", yaml, *lists, "TEST.ENABLE", "False"]) == 0
    assert [name for name, *_ in calls] == ["train"]


def test_duplicates_of_the_test_list_are_found_before_the_training(
    calls, yaml, lists, tmp_path, capsys
):
    (tmp_path / "test.csv").write_text("a.mp4 0\na.mp4 0\n")
    assert cli.main(["--cfg", yaml, *lists, "TEST.ENABLE", "True"]) == 2
    assert "would count twice" in capsys.readouterr().err and calls == []


def test_styled_folders_without_a_common_video_are_found_before_the_training(
    calls, yaml, tmp_path, capsys
):
    for style, name in (("one", "a.mp4"), ("two", "b.mp4")):
        (tmp_path / style).mkdir()
        (tmp_path / style / name).touch()
    folders = [str(tmp_path / style) for style in ("one", "two")]
    words = ["BIAS.ENABLE", "True", "BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS"]
    assert cli.main(["--cfg", yaml, *words, str(folders)]) == 2
    assert "in all styles" in capsys.readouterr().err and calls == []


def test_a_warning_of_a_list_is_left_to_the_step_that_reads_it(yaml, lists, caplog, monkeypatch):
    log = logging.getLogger("slowfast_bias.datasets.lists.files")
    real = contract.host.build_dataset
    monkeypatch.setattr(
        contract.host, "build_dataset", lambda *a: log.warning("left out") or real(*a),
        raising=False,
    )  # fmt: skip
    check_lists(engine.load_cfg(yaml, lists), ["train", "val"])
    log.warning("still there")
    assert [record.message for record in caplog.records] == ["still there"]


@pytest.mark.parametrize("other", [["MODEL.NUM_CLASSES", 7], ["RESNET.WIDTH_PER_GROUP", 16]])
def test_a_run_that_finds_another_network_is_not_advised_what_it_would_ignore(tiny, other):
    model, found = (host.build_model(tiny(*opts, check=False)) for opts in ([], other))
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, found.state_dict(), "own.pyth", resumes=True)
    said = str(caught.value)
    assert "ALLOW_PARTIAL" not in said
    assert "another OUTPUT_DIR" in said and "TRAIN.AUTO_RESUME False" in said


NO_HOST = """
import importlib.util as u, sys; real = u.find_spec
u.find_spec = lambda name, *a: None if name == "slowfast" else real(name, *a)
from slowfast_bias.cli import main
sys.exit(main(["--cfg", "configs/Toy/SLOW_motion.yaml"]))
"""


def test_a_missing_host_is_a_readable_error_too(run_python):
    done = run_python(NO_HOST, env={"SLOWFAST_MAIN": ""}, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: Expected SlowFast to be importable")


def launch(start, yaml, folder, *words):
    return warm.run(
        [*start, "--cfg", yaml, "OUTPUT_DIR", folder, *words],
        cwd=folder.parent, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_the_module_and_the_tool_do_the_same(yaml, tmp_path):
    starts = {"module": ["-m", "slowfast_bias"], "tool": [str(ROOT / "tools" / "run_net.py")]}
    seen = {}
    for name, start in starts.items():
        done = launch(start, yaml, tmp_path / name, "SOLVER.MAX_EPOCH", "1")
        assert done.returncode == 0, done.stderr
        assert "tested  top-1" in done.stdout
        seen[name] = sorted(path.name for path in (tmp_path / name).rglob("*"))
    assert seen["module"] == seen["tool"]


def test_a_finished_run_started_again_trains_nothing_and_still_tests(yaml, tmp_path, capsys):
    words = ["--cfg", yaml, "OUTPUT_DIR", str(tmp_path / "run"), "SOLVER.MAX_EPOCH", "1"]
    outputs = []
    for _ in range(2):
        assert cli.main(words) == 0
        outputs.append(capsys.readouterr().out)
    assert all("tested  top-1" in output for output in outputs)
    assert ["trained  loss" in output for output in outputs] == [True, False]
