"""A decoder that does not come back costs its video, which is named, and nothing else."""

from __future__ import annotations

import threading

import pytest
import torch

from slowfast_bias.datasets.decoding.time_limit import within
from slowfast_bias.datasets.decoding.timeline import VideoError


def test_a_stuck_decoder_is_named_and_draws_nothing_afterwards():
    stuck, came = threading.Event(), threading.Event()

    def read(picks):
        stuck.wait()
        try:
            picks(None)
        finally:
            came.set()

    state = torch.get_rng_state()
    with pytest.raises(VideoError, match=r"film.mp4 .*within 0.05 s \(BIAS.DATA.TIMEOUT\)"):
        within(0.05, "film.mp4", read, lambda timeline: [int(torch.randint(9, ()))])
    stuck.set()
    assert came.wait(20) and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("seconds", [0, 600.0])
def test_what_comes_back_in_time_is_the_same(seconds):
    read = lambda picks: ["frames", *(picks(None) if callable(picks) else picks)]  # noqa: E731
    assert within(seconds, "a", read, lambda timeline: [3]) == ["frames", 3]
    if not seconds:
        assert within(seconds, "a", read, [1, 2]) == ["frames", 1, 2]

    def broken(picks):
        raise VideoError("a is damaged")

    with pytest.raises(VideoError, match="a is damaged"):
        within(seconds, "a", broken, [1])
