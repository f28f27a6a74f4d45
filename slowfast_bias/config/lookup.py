"""Values of dotted keys."""

from __future__ import annotations

from typing import Any

from fvcore.common.config import CfgNode


def lookup(cfg: CfgNode, key: str, default: Any = None) -> Any:
    """Returns the value of a dotted key, or `default` if this host does not have it."""
    node: Any = cfg
    for part in key.split("."):
        if not isinstance(node, CfgNode) or part not in node:
            return default
        node = node[part]
    return node
