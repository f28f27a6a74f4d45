"""The table of steps: which of them a config asks for, and which lists they read."""

from __future__ import annotations

import pytest

from slowfast_bias.engine.preflight.lists import STYLED
from slowfast_bias.engine.steps import enabled_steps, lists_of

pytestmark = pytest.mark.host

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


def test_a_measurement_of_folders_reads_them_and_no_list(tiny, tmp_path):
    dirs = [tmp_path / "a", tmp_path / "b"]
    for folder in dirs:
        folder.mkdir()
    folders = ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", [str(d) for d in dirs]]
    measured = tiny(*OFF, "BIAS.ENABLE", True, *folders)
    assert lists_of(measured, enabled_steps(measured)) == [STYLED]
    silenced = tiny(*OFF, "BIAS.ABLATION.ENABLE", True, *folders)
    assert lists_of(silenced, enabled_steps(silenced)) == ["test", STYLED]
