"""The table of steps: which of them a config asks for, and which lists they read."""

from __future__ import annotations

import pytest

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.pairs.request import PairsError
from slowfast_bias.engine.preflight.lists import STYLED
from slowfast_bias.engine.steps import check_data, enabled_steps, lists_of
from slowfast_bias.engine.tasks import TASKS, Classification
from slowfast_bias.engine.training import loop
from slowfast_bias.errors import DataError

pytestmark = pytest.mark.host

HOW = {"processes": 1, "quick": True, "progress": lambda steps, *_: steps}
OFF = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.ENABLE", False]


@pytest.mark.parametrize(
    ("switches", "steps", "lists"),
    [
        (["TRAIN.ENABLE", True], ["train"], ["train", "val"]),
        (["BIAS.ENABLE", True], ["measure"], ["val"]),
        (["BIAS.ENABLE", True, "BIAS.SPLIT", "test"], ["measure"], ["test"]),
        (["TEST.ENABLE", True], ["test"], ["test"]),
        (["BIAS.SHUFFLE.TEST", True], ["test_orders"], ["test"]),
        (["BIAS.ABLATION.ENABLE", True], ["ablate"], ["test", "val"]),
        (["BIAS.BEHAVIOUR.ENABLE", True], ["battery"], ["test"]),
        (["BIAS.PERIOD", 1, "BIAS.SPLIT", "test", "TRAIN.ENABLE", True], ["train"],
         ["train", "val"]),
        (["BIAS.PERIOD", 1, "BIAS.SPLIT", "test", "TRAIN.ENABLE", True, "BIAS.ENABLE", True],
         ["train", "measure"], ["train", "val", "test"]),
    ],
)  # fmt: skip
def test_steps_and_their_lists(tiny, switches, steps, lists):
    cfg = tiny(*OFF, *switches)
    assert [step.name for step in enabled_steps(cfg)] == steps
    assert lists_of(cfg, enabled_steps(cfg)) == lists


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (["BIAS.PAIRS", "statics"], PairsError, "BIAS.PAIRS .*static_dynamic.*'statics'"),
        (["BIAS.TASK", "classes"], ConfigError, "BIAS.TASK: .*classification.*'classes'"),
        (["BIAS.LAYERS", ["s9"]], ConfigError, r"BIAS.LAYERS: .*got 's9'\. It has s1"),
        (["BIAS.LAYERS", ["s5.pathway0_re0"]], ConfigError, "did you mean 's5.pathway0_res0'"),
        (["BIAS.ABLATION.ENABLE", True, "BIAS.ABLATION.LAYER", "s9"], ConfigError,
         "BIAS.ABLATION.LAYER: .*'s9'"),
    ],
)  # fmt: skip
def test_a_mistyped_name_is_an_error_before_training(tiny, monkeypatch, options, error, says):
    monkeypatch.setattr(loop, "train_epoch", None)
    cfg = tiny("BIAS.ENABLE", True, *options)
    with pytest.raises(error, match=says):
        engine.run(cfg)


@pytest.mark.parametrize(
    "step", ["BIAS.SHUFFLE.TEST", "BIAS.ABLATION.ENABLE", "BIAS.BEHAVIOUR.ENABLE"]
)
def test_a_task_without_hits_is_not_asked_for_them(tiny, monkeypatch, step):
    class Graded(Classification):
        counts_hits = False

    monkeypatch.setitem(TASKS, "graded", Graded)
    monkeypatch.setattr(loop, "train_epoch", None)
    with pytest.raises(ConfigError, match=f"BIAS.TASK graded: .*right or wrong.*{step}"):
        engine.run(tiny("BIAS.TASK", "graded", step, True))
    monkeypatch.undo()
    monkeypatch.setitem(TASKS, "graded", Graded)
    assert engine.run(tiny("BIAS.TASK", "graded", "SOLVER.MAX_EPOCH", 1))["test"].videos == 5


def test_only_the_videos_of_our_own_data_set_can_be_checked(tiny):
    with pytest.raises(DataError, match="Expected the dataset `videos`, but .*'toyvideos'"):
        check_data(tiny(), **HOW)


def test_a_measurement_of_folders_reads_them_and_no_list(tiny, tmp_path):
    dirs = [tmp_path / "a", tmp_path / "b"]
    for folder in dirs:
        folder.mkdir()
    folders = ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", [str(d) for d in dirs]]
    measured = tiny(*OFF, "BIAS.ENABLE", True, *folders)
    assert lists_of(measured, enabled_steps(measured)) == [STYLED]
    silenced = tiny(*OFF, "BIAS.ABLATION.ENABLE", True, *folders)
    assert lists_of(silenced, enabled_steps(silenced)) == ["test", STYLED]
    assert check_data(measured, **HOW) == []  # there are no lists to decode
    named = tiny(*OFF, "BIAS.ENABLE", True, *folders[2:], "BIAS.PAIRS", "static_dynamic_folders")
    assert lists_of(named, enabled_steps(named)) == [STYLED]
    generated = tiny(*OFF, "BIAS.ENABLE", True, *folders, "BIAS.PAIRS", "static_dynamic")
    assert lists_of(generated, enabled_steps(generated)) == ["val"]
    with pytest.raises(ConfigError, match="BIAS.STYLES.DIRS: expected two folders or more"):
        tiny(*OFF, "BIAS.ENABLE", True, "BIAS.PAIRS", "static_dynamic_folders")
