"""What was made for units, from files: as it was written, and every damage is one line."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from support.maximised import SPEEDS, arrays, row, write_maximised

from slowfast_bias.results import ResultError
from slowfast_bias.visualization.reading.maximised import read_maximised


def test_it_is_read_as_it_was_written(tmp_path):
    rows = [row("s5", 3), row("class", 7, name="walking the dog", chosen_as="class")]
    rows += [row("s5", 9, dead=True, failed="it is dead", by_speed={}, file=None)]
    found = read_maximised(write_maximised(tmp_path, rows=rows, pairs=[(7, 7), (7, 9)]))
    unit, named = found.drawn
    assert (unit.title, named.title, named.where) == ("s5, unit 3", "walking the dog", "class 7")
    assert found.confusions == [(named, named)]  # of 9 there are no clips
    assert found.speeds == SPEEDS and found.seeds == (0, 1)
    assert unit.best("slow") == 1 and unit.shown("slow", "ratio") == pytest.approx(1.0)
    assert unit.mean("slow", "ratio") == pytest.approx(0.95)
    assert math.isnan(unit.mean("slow", "transfer")) and unit.mean("fast", "path_similarity") == 0.6
    for name, array in arrays(3).items():
        assert np.array_equal(getattr(found.clips(unit), name), array)


def change_row(**changes):
    return lambda data: data["units"][0].update(changes)


def change_numbers(key, value):
    return lambda data: data["units"][0]["by_speed"]["slow"].update({key: value})


DAMAGES = {
    "`speeds` of": lambda data: data.update(speeds=["warp"]),
    "`seeds` in": lambda data: data.update(seeds=["a"]),
    "list of `units`": lambda data: data.update(units=3),
    "two units in each": lambda data: data.update(pairs=[[1]]),
    "object with a layer in `units.0`": change_row(layer=None),
    "number of a unit": change_row(unit="3"),
    "numbers in `units.0`": change_row(motion_need="much"),
    "as `motion_need_interval`": change_row(motion_need_interval=[0.1]),
    "numbers of the speeds": change_row(by_speed={"fast": {}}),
    "npz file below": change_row(file="../secret.npz"),
    "activations of every speed": change_numbers("activation", None),
    "number per seed as `ratio`": change_numbers("ratio", [1.0]),
    "list of `natural`": change_row(natural=["walk.mp4"]),
}


@pytest.mark.parametrize("wanted", DAMAGES)
def test_a_damaged_file_is_named_in_one_line(tmp_path, wanted):
    path = Path(write_maximised(tmp_path, units=(3,)))
    content = json.loads(path.read_text())
    DAMAGES[wanted](content["data"])
    path.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=re.escape(wanted)) as error:
        read_maximised(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda x: {"natural": x["natural"]}, "Expected `rgb` in"),
        (lambda x: {"rgb": x["rgb"][:3]}, "5 x 2 x n x n x n x 3, but got 3 x 2 x 8 x 32"),
        (lambda x: {"rgb": x["rgb"] / 255}, "of float64"),
        (lambda x: {**x, "flow": x["rgb"]}, "`flow` of"),
        (lambda x: {**x, "natural": x["natural"][0]}, "`natural` of"),
        (lambda x: {"rgb": np.array([None])}, "clips of a unit in .*Object arrays"),
    ],
)
def test_clips_of_another_shape_are_an_error(tmp_path, change, wanted):
    found = read_maximised(write_maximised(tmp_path, units=(3,)))
    np.savez(found.beside(found.drawn[0], ".npz"), **change(arrays(3)))
    with pytest.raises(ResultError, match=wanted):
        found.clips(found.drawn[0])


def test_a_file_that_was_cut_short_is_an_error(tmp_path):
    found = read_maximised(write_maximised(tmp_path, units=(3,)))
    path = Path(found.beside(found.drawn[0], ".npz"))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ResultError, match="clips of a unit in"):
        found.clips(found.drawn[0])
