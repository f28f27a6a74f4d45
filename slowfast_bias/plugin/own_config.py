"""The config of SlowFast's loop as our own flows read it."""

from __future__ import annotations

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.config import check_cfg
from slowfast_bias.config.canonical import canonicalise
from slowfast_bias.engine.measuring.layers import check_layers
from slowfast_bias.engine.steps import check_steps, steps_named

_GIVEN = {"MODEL.MODEL_NAME", "TRAIN.DATASET", "TEST.DATASET"}


def own_config(cfg: CfgNode) -> CfgNode:
    """Returns the frozen config with which our own command measures what SlowFast's loop trains.

    It names networks and data sets as we do, and does not train.
    """
    own = cfg.clone()
    own.defrost()
    canonicalise(own, _GIVEN)
    own.TRAIN.ENABLE = False
    own.freeze()
    return own


def check_measurement(own: CfgNode, model: nn.Module) -> None:
    """Raises, before any work, what a measurement of the network would raise of its config."""
    check_cfg(own)
    check_layers(own, model)
    check_steps(own, steps_named("measure"))
