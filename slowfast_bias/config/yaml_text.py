"""Configs as YAML text, written by libyaml in a fifth of the time.

A run writes its config about ten times: beside its results, into checkpoints, for fingerprints.
What libyaml does not take, such as names of files that are no text, is left to PyYAML's own. Files
are not read by it: brackets in brackets a few thousand deep crash the process.
"""

from __future__ import annotations

from typing import Any

import yaml
from fvcore.common.config import CfgNode

# Of libyaml, if PyYAML was built with it.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_cfg(cfg: CfgNode) -> str:
    """Returns a config as YAML text, as `cfg.dump()` does."""
    try:
        return yaml.dump(_plain(cfg), Dumper=_DUMPER)
    except UnicodeEncodeError:
        return cfg.dump()


def _plain(node: Any) -> Any:
    return {key: _plain(value) for key, value in node.items()} if isinstance(node, dict) else node
