"""The config keys of this project, and what those of the host may be.

A key is declared once, in the file of its subject, with default, meaning and range.
"""

from __future__ import annotations

import copy

from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.config.options import (
    behaviour,
    cue_benchmarks,
    data,
    host_keys,
    masks,
    maximising,
    measuring,
    networks,
    segments,
    training,
)
from slowfast_bias.config.options.option import Option

BIAS_OPTIONS = (
    *measuring.OPTIONS,
    *behaviour.OPTIONS,
    *maximising.OPTIONS,
    *cue_benchmarks.OPTIONS,
    *training.OPTIONS,
    *data.OPTIONS,
    *segments.OPTIONS,
    *masks.OPTIONS,
    *networks.OPTIONS,
)
HOST_OPTIONS = host_keys.OPTIONS


def get_cfg() -> CfgNode:
    """Returns the host's default config with the BIAS node in it."""
    cfg = host.get_cfg()
    add_bias_config(cfg)
    return cfg


def add_bias_config(cfg: CfgNode) -> None:
    """Adds the BIAS node with its defaults to a host's config, in place."""
    for option in BIAS_OPTIONS:
        *sections, name = option.key.split(".")
        node = cfg
        for section in sections:
            node = node.setdefault(section, CfgNode())
        node[name] = copy.deepcopy(option.default)


def find_option(key: str) -> Option | None:
    """Returns the declaration of a key; None if only the host knows it."""
    return next((o for o in (*BIAS_OPTIONS, *HOST_OPTIONS) if o.key == key), None)
