"""Each process computes with its part of the cores, however a scheduler has given them out."""

from __future__ import annotations

import pytest

from slowfast_bias.engine.runtime import cores
from slowfast_bias.engine.runtime.cores import Cores, part_of


def on(machine, *numbers):
    return Cores(machine, frozenset(numbers))


@pytest.mark.parametrize(
    ("places", "parts"),
    [
        ([on("a", *range(8))], [8]),
        ([on("a", *range(8))] * 3, [2, 2, 2]),
        ([on("a", 0, 1)] * 4, [1] * 4),  # more processes than cores: one thread each
        ([on("a", 0, 1), on("a", 2, 3, 4)], [2, 3]),  # srun has bound each to cores of its own
        ([on("a", *range(6)), on("b", *range(6))], [6, 6]),  # the same numbers, another machine
        ([on("a", 0, 1, 2, 3), on("a", 2, 3)], [3, 1]),
    ],
)
def test_the_cores_of_a_machine_are_shared_out_and_no_core_twice(places, parts):
    assert [part_of(rank, places) for rank in range(len(places))] == parts


@pytest.mark.parametrize(("given", "threads"), [(None, 4), ("6", 4), ("2", 2)])
def test_no_process_has_more_threads_than_its_part(monkeypatch, caplog, given, threads):
    used = [int(given or 8)]  # what torch has begun with
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr(cores.ranks, "gather_objects", lambda mine: [on("a", *range(8))] * 2)
    monkeypatch.setattr(cores.torch, "set_num_threads", used.append)
    monkeypatch.setattr(cores.torch, "get_num_threads", lambda: used[-1])
    assert cores.share_cores() == threads == used[-1]
    assert ("OMP_NUM_THREADS 6" in caplog.text) is (given == "6")
