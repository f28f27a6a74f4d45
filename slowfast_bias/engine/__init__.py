"""Floor 5: the flows. Needs a host; importing it registers this project's data sets.

Synopsis:

    from slowfast_bias import engine
    cfg = engine.load_cfg("configs/Toy/SLOW_motion.yaml", ["OUTPUT_DIR", "runs/motion"])
    engine.train(cfg); engine.measure(cfg); engine.test(cfg)
    model = engine.trained_network(cfg)
"""

from __future__ import annotations

from typing import Any

from fvcore.common.config import CfgNode
from torch import nn

import slowfast_bias.datasets.pairs.flow_pairs
import slowfast_bias.datasets.pairs.static_dynamic
import slowfast_bias.datasets.segments.dataset
import slowfast_bias.datasets.styles.folder_clips
import slowfast_bias.datasets.toy.dataset
import slowfast_bias.datasets.toy.segments
import slowfast_bias.datasets.videos  # noqa: F401  only registration, as the lines above
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import get_cfg, load_cfg
from slowfast_bias.engine.runtime.launcher import launch
from slowfast_bias.engine.setup import network as _network
from slowfast_bias.engine.setup.network import build_network
from slowfast_bias.engine.steps import run, run_step
from slowfast_bias.engine.testing.multi_view import TestResult
from slowfast_bias.engine.training.loop import TrainResult

__all__ = [
    "TestResult",
    "TrainResult",
    "ablate",
    "battery",
    "build_network",
    "get_cfg",
    "launch",
    "load_cfg",
    "measure",
    "run",
    "test",
    "test_orders",
    "train",
    "trained_network",
]


def trained_network(cfg: CfgNode) -> nn.Module:
    """Returns the network of `cfg` with its weights, in this process; see `setup.network`."""
    model = build_network(cfg)
    _network.load_trained(cfg, model)
    return model


def train(cfg: CfgNode, init_method: str | None = None) -> TrainResult:
    """Trains on as many processes as `cfg` or the environment asks for."""
    return run_step("train", cfg, init_method)


def test(cfg: CfgNode, init_method: str | None = None) -> TestResult:
    """Tests, over all views of each video; weights as in `setup.network.open_trained`."""
    return run_step("test", cfg, init_method)


def measure(cfg: CfgNode, init_method: str | None = None) -> BiasReport:
    """Measures static and dynamic bias of all layers, with weights as in `test`."""
    return run_step("measure", cfg, init_method)


def test_orders(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Tests with frames ordered, shuffled, reversed and frozen; see `testing.frame_orders`."""
    return run_step("test_orders", cfg, init_method)


def ablate(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Tests without the most static, the most dynamic and random units; see `testing.silencing`."""
    return run_step("ablate", cfg, init_method)


def battery(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Tests with changed clips: their frames, their looks, few of them; see `testing.battery`."""
    return run_step("battery", cfg, init_method)
