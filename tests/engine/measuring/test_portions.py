"""A measurement that runs out of memory goes on with smaller batches, to the same numbers."""

from __future__ import annotations

import logging

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.engine.measuring import measurement
from slowfast_bias.engine.measuring.probe import Probe
from slowfast_bias.errors import CrashError

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]


@pytest.fixture
def measured(tiny):
    """A function: the report of a network at random, with some words in the config."""

    def measure(*words):
        cfg = tiny("BIAS.TOY.NUM_VAL", 7, "TEST.BATCH_SIZE", 4, "BIAS.ENABLE", True, *words)
        networks = {name: engine.build_network(cfg) for name in ("trained", "untrained")}
        return measurement.measure_networks(cfg, networks, "config.yaml")["trained"]

    return measure


def with_room_for(clips, monkeypatch, seen, after=False):
    """Probes run out of memory with more clips at once; after they have added them, if asked."""
    real = Probe.add

    def add(self, views, videos, *rest):
        if after:
            real(self, views, videos, *rest)
        if len(videos) > clips:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you")
        seen.append((id(self), tuple(videos)))
        if not after:
            real(self, views, videos, *rest)

    monkeypatch.setattr(Probe, "add", add)


def test_it_halves_the_batch_says_so_and_finds_what_small_batches_find(
    measured, monkeypatch, caplog
):
    small = measured("BIAS.BATCH_SIZE", 1)
    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    seen = []
    with_room_for(1, monkeypatch, seen)
    halved = measured()
    said = [r.getMessage() for r in caplog.records if "out of memory" in r.getMessage()]
    assert [line.partition(":")[0][-21:] for line in said] == [
        "with 4 videos at once", "with 2 videos at once"
    ]  # fmt: skip
    assert len(seen) == 14 and all(len(videos) == 1 for _, videos in seen)
    assert len(set(seen)) == 14  # each video once for each network
    for name, layer in small.layers.items():
        for score in layer.measured:
            pair = layer.unit_scores(score), halved.layers[name].unit_scores(score)
            torch.testing.assert_close(*pair, rtol=1e-5, atol=1e-6, equal_nan=True)
    assert small.meta["recognition"] == halved.meta["recognition"]


def test_a_single_video_that_is_too_large_or_a_probe_that_has_added_is_an_error(
    measured, monkeypatch
):
    for clips, after in ((0, False), (1, True)):
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="memory"):
            with_room_for(clips, patch, [], after)
            measured()
    assert issubclass(CrashError, RuntimeError)  # what a command makes of it
