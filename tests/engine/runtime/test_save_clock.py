"""Saving happens after so many minutes, and takes a hundredth of the time at most."""

from __future__ import annotations

import pytest

from slowfast_bias.engine.runtime import save_clock
from slowfast_bias.engine.runtime.save_clock import SaveClock

pytestmark = pytest.mark.host


@pytest.mark.parametrize(("took", "wait"), [(1, 300), (3, 300), (4, 400), (60, 6000)])
def test_what_takes_long_happens_less_often(monkeypatch, took, wait):
    now = [1000.0]
    monkeypatch.setattr(save_clock.time, "monotonic", lambda: now[0])
    clock, never = SaveClock(5), SaveClock(0)
    now[0] += 299
    assert not clock.due()
    now[0] += 1
    assert clock.due() and not never.due()
    with clock.saving():
        now[0] += took
    now[0] += wait - 1
    assert not clock.due()
    now[0] += 1
    assert clock.due() and not never.due()
