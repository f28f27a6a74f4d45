"""Pairings of HAT: pickles of any protocol and JSON read alike, and nothing of a pickle is run."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from support.pickles import body, call

from slowfast_bias.datasets.benchmarks.swaps import Swap, read_swaps
from slowfast_bias.errors import DataError

GIVEN = {"bending back/a": ["archery/b", 12, 3], "archery/b": ["bending back/a", 9, 0]}
WANTED = {"bending back/a": Swap("archery/b", 12, 3), "archery/b": Swap("bending back/a", 9, 0)}


def read(path, names=tuple(GIVEN)):
    return read_swaps(str(path), names, num_classes=4)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_read(tmp_path, protocol):
    (tmp_path / "swap").write_bytes(pickle.dumps(GIVEN, protocol))
    assert read(tmp_path / "swap") == WANTED


def test_json_tuples_and_numbers_of_numpy_are_read(tmp_path):
    (tmp_path / "swap").write_text(f"\n {json.dumps(GIVEN)}")
    assert read(tmp_path / "swap") == WANTED
    other = {name: (value[0], np.int64(value[1]), np.int32(value[2]))
             for name, value in GIVEN.items()}  # fmt: skip
    (tmp_path / "swap").write_bytes(pickle.dumps(other))
    assert read(tmp_path / "swap") == WANTED


def test_videos_that_are_not_listed_may_be_in_the_file(tmp_path):
    (tmp_path / "swap").write_text(json.dumps(GIVEN))
    assert list(read(tmp_path / "swap", ["archery/b"])) == ["archery/b"]


class Opens:
    """Opens a file when it is rebuilt."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("where", ["whole", "value", "name", "number"])
def test_a_hostile_pickle_runs_nothing_and_is_refused(tmp_path, where):
    trace = str(tmp_path / "trace")
    hostile = {
        "whole": Opens(trace),
        "value": {"archery/b": Opens(trace)},
        "name": {"archery/b": [Opens(trace), 9, 0]},
        "number": {"archery/b": ["a", 9, Opens(trace)]},
    }[where]
    (tmp_path / "swap").write_bytes(pickle.dumps(hostile))
    with pytest.raises(DataError, match=r"Expected (\{A: \[B|\[B)"):
        read(tmp_path / "swap", ["archery/b"])
    assert not (tmp_path / "trace").exists()
    pickle.loads(pickle.dumps(hostile))  # an ordinary unpickler runs it
    assert (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "program",
    [
        lambda trace: call("os", "system", f"touch '{trace}'"),
        lambda trace: call("builtins", "exec", f"open({trace!r}, 'w')"),
        lambda trace: b"(" + body(trace) + body("w") + b"ibuiltins\nopen\n",
    ],
)
def test_a_program_beside_the_pairings_is_not_run(tmp_path, program):
    trace = tmp_path / "trace"
    inner = pickle.dumps(GIVEN, 2)[2:-1] + body("x") + program(str(trace)) + b"s."
    (tmp_path / "swap").write_bytes(b"\x80\x02" + inner)
    assert read(tmp_path / "swap") == WANTED
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read"),
        (b"{broken", "cannot be read"),
        (b"no pickle", "cannot be read"),
        (pickle.dumps(GIVEN)[:-9], "cannot be read"),
        (pickle.dumps([1, 2]), r"but got \[1, 2\]"),
        (b'{"archery/b": ["a", 9, 0]}', "2 videos in .*, but 1 have none: bending back/a"),
        (json.dumps({**GIVEN, "archery/b": ["a", 9]}).encode(), r"for archery/b .*got \['a', 9\]"),
        (json.dumps({**GIVEN, "archery/b": ["a", 9.0, 0]}).encode(), "for archery/b"),
        (json.dumps({**GIVEN, "archery/b": ["a", 0, 0]}).encode(), "for archery/b"),
        (json.dumps({**GIVEN, "archery/b": ["a", True, 0]}).encode(), "for archery/b"),
        (json.dumps({**GIVEN, "archery/b": ["a", 9, 4]}).encode(), "class from 0 to 3 .*got 4"),
    ],
)
def test_what_is_no_pairing_is_refused(tmp_path, content, says):
    (tmp_path / "swap").write_bytes(content)
    with pytest.raises(DataError, match=says):
        read(tmp_path / "swap")
