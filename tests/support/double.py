"""Runs in float64, where the order of a sum decides nothing.

In float32 another number of processes, or another CPU, rounds a sum otherwise, and now and then
that puts an activation on the other side of a ReLU's zero: a bound on the difference would be luck.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import engine
from slowfast_bias.engine.runtime.launcher import launch
from slowfast_bias.engine.training import loop


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Networks and clips made in the block are of double precision."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def train(cfg: CfgNode) -> engine.TrainResult:
    """`engine.training.loop` in float64, in as many processes as the config asks for."""
    return launch(cfg, _train)


def test(cfg: CfgNode) -> engine.TestResult:
    """`engine.test` in float64, in this process."""
    with float64():
        return engine.test(cfg)


def _train(cfg: CfgNode) -> engine.TrainResult:
    with float64():
        return loop.train(cfg)
