"""The crossing of a network of two streams: the word of it that no weight shows.

MATNet with `both` and with `up` has the same weights by the same names, so that a checkpoint of one
fits the other, and would be scored as another network than the one that was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from fvcore.common.config import CfgNode

from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.models.weights.readers import CheckpointError


def check_crossing(cfg: CfgNode, state: Mapping[str, Any], path: str) -> None:
    """Raises CheckpointError if a checkpoint says that it was trained with another crossing.

    Files of others say nothing of it.
    """
    if (cfg.BIAS.TASK, cfg.MODEL.ARCH) != (SEGMENTATION, "matnet"):  # others have no such word
        return
    trained, wanted = _trained_with(state), cfg.BIAS.SEGMENTATION.CROSSING
    if trained not in ("", wanted):
        raise CheckpointError(
            f"Expected BIAS.SEGMENTATION.CROSSING {trained}, with which {path} was trained, but "
            f"got {wanted}: the weights fit, and the network would be another one. Add "
            f"BIAS.SEGMENTATION.CROSSING {trained}."
        )


def _trained_with(state: Mapping[str, Any]) -> str:
    """Returns the crossing of the config that a checkpoint holds; "" if it has none."""
    try:
        found = yaml.safe_load(str(state.get("cfg") or ""))
        return str(found["BIAS"]["SEGMENTATION"]["CROSSING"])
    except (yaml.YAMLError, KeyError, TypeError):
        return ""
