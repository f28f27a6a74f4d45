"""The mean mask of a list, against masks that are read one by one."""

from __future__ import annotations

import numpy as np
import pytest
from support.segments import SMALL, write_flows, write_sequences

from slowfast_bias import engine
from slowfast_bias.datasets.toy.camouflage import SegmentWorld
from slowfast_bias.errors import DataError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = pytest.mark.host
TOY = ["TRAIN.DATASET", "toysegments", "BIAS.SEGMENTS.SIZE", [32, 32], "BIAS.TOY.NUM_TRAIN", 6]
CENTRE = ["BIAS.MASKS.CENTRE", "train"]


def test_the_map_is_the_mean_of_the_masks(tiny):
    cfg = tiny(*SMALL, *TOY, *CENTRE)
    found = engine.run_step("centre", cfg)
    world = SegmentWorld("camouflage", 32, cfg.BIAS.TOY.SEED, "train", 6)
    masks = np.stack([world.mask(i) for i in range(6)])
    np.testing.assert_allclose(found["map"], 100 * masks.mean(0), atol=0.01)
    inside = masks[:, 8:24, 8:24].sum((1, 2)) / masks.sum((1, 2))
    assert found["central"] == pytest.approx(100 * inside.mean())
    written = read_result(Outputs(cfg.OUTPUT_DIR).centre(), "centre_bias")
    assert written.data == {k: v for k, v in found.items() if k != "meta"}


def test_sequences_on_disk_count_once_each_and_damage_is_told(tiny, tmp_path):
    write_sequences(tmp_path / "data", {"a": 4, "b": 3})
    write_flows(tmp_path / "data", {"a": 4, "b": 3})
    cfg = tiny(
        *SMALL, "BIAS.MASKS.CENTRE", "val", "TRAIN.DATASET", "segments", "TEST.DATASET", "segments",
        "DATA.PATH_TO_DATA_DIR", str(tmp_path / "data"), "BIAS.SEGMENTS.SIZE", [32, 40],
    )  # fmt: skip
    (tmp_path / "data/JPEGImages/a/00001.png").write_bytes(b"no picture")
    found = engine.run_step("centre", cfg)
    assert (found["frames"], found["sequences"], found["meta"]["unreadable"]) == (4, 2, 1)
    assert found["size"] == [36, 48]
    for path in (tmp_path / "data/JPEGImages").rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="an object in the val list"):
        engine.run_step("centre", cfg)
