"""Configs as YAML by libyaml, in a fifth of the time: a list of all networks reads 90 files.

A run writes its config about ten times: beside its results, into checkpoints, for fingerprints.
What libyaml does not take, such as names of files that are no text, is left to PyYAML's own.
"""

from __future__ import annotations

import os
from typing import Any

import yaml
from fvcore.common.config import BASE_KEY, CfgNode
from iopath.common.file_io import g_pathmgr

# Of libyaml, if PyYAML was built with it.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump_cfg(cfg: CfgNode) -> str:
    """Returns a config as YAML text, as `cfg.dump()` does."""
    try:
        return yaml.dump(_plain(cfg), Dumper=_DUMPER)
    except UnicodeEncodeError:
        return cfg.dump()


def read_tree(path: str) -> Any:
    """Returns what a file says, over what those in its `_BASE_` say, as fvcore reads them."""
    try:
        return _read(path)
    except Exception:  # fvcore reads it all the same, or says what is wrong
        return CfgNode.load_yaml_with_base(path)


def _read(path: str) -> dict[str, Any]:
    with g_pathmgr.open(path, "r") as file:
        tree = yaml.load(file.read(), Loader=_LOADER)
    bases, whole = tree.pop(BASE_KEY, []), {}
    for base in [bases] if isinstance(bases, str) else bases:
        if base.startswith("~") or "://" in base:
            raise ValueError(base)
        _lay(_read(os.path.join(os.path.dirname(path), base)), whole)
    return _lay(tree, whole)


def _lay(tree: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Returns `whole` with the values of `tree` over its own."""
    for key, value in tree.items():
        if isinstance(value, dict) and key in whole:
            if not isinstance(whole[key], dict):
                raise ValueError(key)
            _lay(value, whole[key])
        else:
            whole[key] = value
    return whole


def _plain(node: Any) -> Any:
    return {key: _plain(value) for key, value in node.items()} if isinstance(node, dict) else node
