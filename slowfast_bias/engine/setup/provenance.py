"""Where numbers come from: the `meta` of every result of a run.

One function for all of them, so that a reader finds the same names in every file.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode

import slowfast_bias
from slowfast_bias import host
from slowfast_bias.bias.origin import DESIGN
from slowfast_bias.config import dump_cfg
from slowfast_bias.config.lookup import lookup
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup.loaders import dataset_name
from slowfast_bias.files import write_whole
from slowfast_bias.models.families import design_named, family_named
from slowfast_bias.models.families.family import SEGMENTATION


def provenance(cfg: CfgNode, split: str, config: str, **found: Any) -> dict[str, Any]:
    """Returns everything a reader needs to judge a result, or to compute it again.

    Args:
        cfg: the config of the run.
        split: the list that was used.
        config: the file that holds `cfg`.
        found: what the flow knows: checkpoint, videos, dropped_videos, how the list was read, ...
    """
    return {
        "config": config,
        "model": network_name(cfg),
        DESIGN: design_named(cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME),
        "data": f"{dataset_name(cfg, split)}/{split}",
        "frames": f"{cfg.DATA.NUM_FRAMES}x{cfg.DATA.SAMPLING_RATE}",
        "mean": list(cfg.DATA.MEAN),
        "std": list(cfg.DATA.STD),
        **({"classes": cfg.MODEL.NUM_CLASSES} if cfg.BIAS.TASK != SEGMENTATION else {}),
        "processes": ranks.world_size(),
        "device": device_name(ranks.device_of(cfg)),
        **_rounding(ranks.device_of(cfg), found),
        "host": f"SlowFast {host.name}",
        "versions": {
            "slowfast_bias": slowfast_bias.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        **found,
    }


def partial_words(meta: Mapping[str, Any] | None) -> list[str]:
    """Returns the warning of a report whose network has random weights beside those of a file."""
    fresh = (meta or {}).get("random_weights", [])
    if not fresh:
        return []
    more = ", ..." if len(fresh) > 3 else ""
    return [
        f"partial weights: {len(fresh)} of the network's are not in its file and are random "
        f"({', '.join(fresh[:3])}{more})"
    ]


def write_config(cfg: CfgNode, path: str) -> None:
    """Writes the config that a result came from, as its `meta` names it; on one process."""
    with write_whole(path) as file:
        file.write(dump_cfg(cfg))


def network_name(cfg: CfgNode) -> str:
    """Returns what kind of network a config builds, in words: "SlowFast slowfast depth 50"."""
    family = family_named(cfg.MODEL.MODEL_NAME)
    described = family.described_by if family is not None else {}
    more = [f"{label} {value}" for label, key in described.items() if (value := lookup(cfg, key))]
    return " ".join([cfg.MODEL.MODEL_NAME, cfg.MODEL.ARCH, *more])


def device_name(device: torch.device) -> str:
    """Returns the name of a GPU, or "cpu"."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _rounding(device: torch.device, found: Mapping[str, Any]) -> dict[str, bool]:
    """Returns whether a GPU rounds to TensorFloat-32, if the flow does not name its arithmetic."""
    if device.type != "cuda" or "precision" in found:
        return {}
    return {"tf32": torch.backends.cudnn.allow_tf32}
