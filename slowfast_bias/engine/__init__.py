"""Floor 3: the flows. Needs a host; importing it registers this project's datasets.

Synopsis::

    from slowfast_bias import engine
    cfg = engine.load_cfg("configs/Toy/SLOW_motion.yaml", ["OUTPUT_DIR", "runs/motion"])
    engine.train(cfg); engine.measure(cfg); engine.test(cfg)
"""

from __future__ import annotations

from typing import Any

from fvcore.common.config import CfgNode

import slowfast_bias.datasets.toy.dataset
import slowfast_bias.datasets.videos  # noqa: F401  only registration, as the line above
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import get_cfg, load_cfg
from slowfast_bias.engine.measuring import measurement as _measure
from slowfast_bias.engine.runtime.launcher import launch
from slowfast_bias.engine.testing import accuracy as _test
from slowfast_bias.engine.testing import frame_orders as _orders
from slowfast_bias.engine.testing import silencing as _ablate
from slowfast_bias.engine.training import loop as _train

TrainResult, TestResult = _train.TrainResult, _test.TestResult

__all__ = [
    "TestResult",
    "TrainResult",
    "ablate",
    "get_cfg",
    "launch",
    "load_cfg",
    "measure",
    "test",
    "test_orders",
    "train",
]


def train(cfg: CfgNode, init_method: str | None = None) -> TrainResult:
    """Trains on as many processes as ``cfg`` or the environment asks for."""
    return launch(cfg, _train.train, init_method)


def test(cfg: CfgNode, init_method: str | None = None) -> TestResult:
    """Tests, over all views of each video; weights as in `network.load_trained`."""
    return launch(cfg, _test.test, init_method)


def measure(cfg: CfgNode, init_method: str | None = None) -> BiasReport:
    """Measures static and dynamic bias of all layers; weights as in `network.load_trained`."""
    return launch(cfg, _measure.measure, init_method)


def test_orders(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Tests with frames ordered, shuffled, reversed and frozen; see `testing.frame_orders`."""
    return launch(cfg, _orders.test_orders, init_method)


def ablate(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Tests without the most static, the most dynamic and random units; see `testing.silencing`."""
    return launch(cfg, _ablate.ablate, init_method)
