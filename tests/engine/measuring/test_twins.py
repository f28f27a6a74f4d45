"""Other weights of a network, measured from the same reading of the videos."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.engine.measuring.measurement import measure
from slowfast_bias.engine.measuring.twins import names_of
from slowfast_bias.errors import UserError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


def test_twins_are_measured_as_each_alone_from_one_reading(tiny, tmp_path, monkeypatch):
    words = ["SOLVER.MAX_EPOCH", 2, "BIAS.TOY.NUM_TRAIN", 8, "TRAIN.EVAL_PERIOD", 5]
    trained = tiny(*words)
    engine.train(trained)
    first, second = map(Outputs(trained.OUTPUT_DIR).checkpoint, (1, 2))
    reads, read = [], Toyvideos.clip
    monkeypatch.setattr(Toyvideos, "clip", lambda self, k: reads.append(k) or read(self, k))

    def run(name, file, *more):
        out = str(tmp_path / name)
        cfg = tiny("OUTPUT_DIR", out, "TEST.CHECKPOINT_FILE_PATH", file, *more)
        reads.clear()
        measure(cfg)
        return Outputs(out), len(reads)

    alone, each = run("alone", first)
    both, together = run("both", second, "BIAS.TWINS", [first])
    assert together == each > 0
    twin = BiasReport.load(both.report("twin_checkpoint_epoch_00001"))
    expected = BiasReport.load(alone.report())
    assert twin.to_csv() == expected.to_csv()
    assert twin.meta["checkpoint"] == first
    own = BiasReport.load(both.report())
    assert own.meta["checkpoint"] == second and own.to_csv() != twin.to_csv()
    assert os.path.getsize(both.comparison) > 0


def test_a_twin_that_does_not_fit_is_an_error_before_anything_is_measured(tiny, tmp_path):
    weights = tmp_path / "w.pyth"
    weights.write_bytes(b"none")
    trained = tiny("SOLVER.MAX_EPOCH", 1, "BIAS.TOY.NUM_TRAIN", 8, "TRAIN.EVAL_PERIOD", 5)
    engine.train(trained)
    with pytest.raises(UserError, match=r"w\.pyth"):
        measure(tiny("BIAS.TWINS", [str(weights)]))
    assert not Path(Outputs(trained.OUTPUT_DIR).report()).exists()


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["runs/a/x.pyth", "y.pt"], ["twin_x", "twin_y"]),
        (["runs/a/c/x.pyth", "runs/b/c/x.pyth"], ["twin_a", "twin_b"]),
        (["runs/x.pyth", "runs/a/x.pt", "runs/a/y.pt"], ["twin_x", "twin_a_x", "twin_a_y"]),
        (
            ["runs/a/c/x.pyth", "runs/b/c/y.pt", "b/c/x.pt"],
            ["twin_runs_a_c_x", "twin_runs_b_c_y", "twin_b_c_x"],
        ),
        (["runs/x.pyth", "runs/x.pt"], ["twin_1_x", "twin_2_x"]),
    ],
)
def test_names_tell_files_apart(files, names):
    assert names_of(files) == names


def test_a_file_that_is_given_twice_is_an_error():
    with pytest.raises(ConfigError, match="expected every file once"):
        names_of(["runs/x.pyth", "runs/a/../x.pyth"])
