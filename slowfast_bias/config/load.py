"""Reading YAML of either host generation into one config.

Files inherit through `_BASE_`; later files and `KEY VALUE` pairs win. Values take the type of
their default. A key that only the other generation knows is dropped and reported by name; a key
that neither has is an error with the nearest known name. All problems are reported together.
"""

from __future__ import annotations

import ast
import difflib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.config.anchors import MOST, count_values
from slowfast_bias.config.canonical import canonicalise
from slowfast_bias.config.check import ConfigError, find_problems
from slowfast_bias.config.check_training import unused_rates
from slowfast_bias.config.options import get_cfg
from slowfast_bias.errors import UserError

log = logging.getLogger(__name__)

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def load_cfg(
    paths: Paths = (), opts: Sequence[Any] = (), check: bool = True, here: bool = True
) -> CfgNode:
    """Returns the frozen config of YAML files, then of KEY, VALUE, KEY, VALUE, ... pairs.

    Args:
        paths: one or several; later ones win.
        opts: KEY, VALUE, ...; they win over files.
        check: whether to raise ConfigError if it cannot be run.
        here: whether it is to run on this machine, so that its GPUs must do.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    cfg, problems, given = get_cfg(), [], set()
    switches: dict[str, str] = {}  # of the other generation that are on
    sources = [(os.fspath(path), _read(os.fspath(path), cfg)) for path in paths]
    for name, pairs in [*sources, ("the command line", _pairs(opts))]:
        dropped = []
        for key, value in pairs:
            outcome = _put(cfg, key, value)
            switches.pop(key, None)  # the last value counts
            if outcome is None:
                given.add(key)
                continue
            if outcome == "":
                dropped.append(f"{key} ({value!r})")
            elif key in host.foreign_keys:
                switches[key] = f"{name}: {outcome}"
            else:
                problems.append(f"{name}: {outcome}")
        if dropped:
            log.warning(
                "%s: dropped, as SlowFast %s has no such key: %s",
                name, host.name, ", ".join(dropped),
            )  # fmt: skip
    problems += [
        text for key, text in switches.items() if cfg.TRAIN.ENABLE or not _is_for_training(key)
    ]
    canonicalise(cfg, given)
    problems += _describe_network(cfg, given)
    if check:
        problems += find_problems(cfg, here)
    if problems:
        raise ConfigError(problems)
    if cfg.TRAIN.ENABLE and (unused := unused_rates(cfg)):
        log.warning(
            "SOLVER.LRS has more rates than SOLVER.STEPS has steps; no epoch uses %s", unused
        )
    cfg.freeze()
    return cfg


def _read(path: str, shape: CfgNode) -> list[tuple[str, Any]]:
    try:
        tree = CfgNode.load_yaml_with_base(path)
    except FileNotFoundError as error:
        missing = error.filename or path
        raise ConfigError([f"expected a YAML file, but {missing} is not there"]) from error
    except Exception as error:
        raise ConfigError([f"{path}: not readable as YAML: {error}"]) from error
    try:
        if (size := count_values(tree)) > MOST:
            raise ConfigError([f"{path}: its anchors unfold to {size:.0e} values; write them out"])
        if not isinstance(tree, Mapping):
            raise ConfigError([f"{path}: expected `SECTION:` and `KEY: value` lines, got {tree!r}"])
        return list(_leaves(tree, shape))
    except RecursionError as error:
        raise ConfigError([f"{path}: a section contains itself (an anchor in itself?)"]) from error


def _leaves(tree: Mapping[str, Any], shape: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (full key, value) of a nested mapping; mappings are values if the default is one."""
    for key, value in tree.items():
        inner = shape.get(key) if isinstance(shape, CfgNode) else None
        if isinstance(value, Mapping) and (isinstance(inner, CfgNode) or inner is None):
            yield from _leaves(value, inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _pairs(opts: Sequence[Any]) -> list[tuple[str, Any]]:
    if len(opts) % 2:
        raise ConfigError(
            [f"the command line: expected KEY VALUE pairs, but {opts[-1]!r} has no value"]
        )
    return [(str(key), value) for key, value in zip(opts[::2], opts[1::2], strict=True)]


def _put(cfg: CfgNode, key: str, value: Any) -> str | None:
    """Sets a key; returns None when done, "" when dropped, else what is wrong."""
    *sections, name = key.split(".")
    node: Any = cfg
    for section in sections:
        node = node.get(section) if isinstance(node, CfgNode) else None
    if not isinstance(node, CfgNode) or name not in node:
        if key in host.foreign_keys:
            return _foreign(key, value)
        return f"unknown key {key}{_nearest(key, cfg)}"
    if isinstance(node[name], CfgNode):
        return f"{key} is a section, not a key; it has {', '.join(node[name])}"
    if _decoded(value) in (None, "") and (key.startswith("AUG.") or not node[name]):
        return None  # `KEY:` without a value, as in some files of SlowFast, where nothing is meant
    try:
        node[name] = _coerce(value, node[name])
    except (ValueError, OverflowError) as error:  # a number of hundreds of digits is no float
        return f"{key}: {error}"
    return None


def _foreign(key: str, value: Any) -> str:
    """Returns "" if a key of the other generation is dropped, an error if a switch is on."""
    is_set = key.endswith("ENABLE") and key not in host.on_by_default
    if is_set and _decoded(value) is True:
        return f"{key} True is a capability that SlowFast {host.name} lacks. {host.remedy}"
    return ""


def _is_for_training(key: str) -> bool:
    return key.startswith(("AUG.", "MIXUP.", "MULTIGRID."))


def _nearest(key: str, cfg: CfgNode) -> str:
    known = [name for name, _ in _leaves(cfg, cfg)]
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if not close:
        last = {name.rpartition(".")[2]: name for name in known}
        close = [last[hit] for hit in difflib.get_close_matches(key.rpartition(".")[2], last, n=1)]
    return f"; did you mean {close[0]}?" if close else ""


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # all that it raises
        return value


def _coerce(value: Any, default: Any) -> Any:
    """Returns `value` in the type of `default`; whole floats become ints, lists become tuples."""
    decoded = _decoded(value)
    if default is None:
        return decoded
    if isinstance(default, str):
        if value is not None and not isinstance(value, (Mapping, list)):
            return str(value)
    elif isinstance(default, bool) or isinstance(decoded, bool):
        if isinstance(default, bool) and isinstance(decoded, bool):
            return decoded
    elif isinstance(default, float) and isinstance(decoded, (int, float)):
        return float(decoded)
    elif isinstance(default, int) and isinstance(decoded, (int, float)):
        if float(decoded).is_integer():
            return int(decoded)
    elif isinstance(default, (list, tuple)) and isinstance(decoded, str):
        if [decoded] == list(default):  # a word such as auto, without its brackets
            return type(default)(default)
    elif isinstance(default, (list, tuple)) and isinstance(decoded, (list, tuple)):
        return type(default)(decoded)
    raise ValueError(
        f"expected {type(default).__name__} as in the default {default!r}, but got {value!r}"
    )


def _describe_network(cfg: CfgNode, given: set[str]) -> list[str]:
    """Takes over what the network's own files say, unless a key was given; returns problems.

    Files that cannot be read are reported by the check of the network.
    """
    try:
        values = host.described(cfg).values
    except UserError:
        return []
    outcomes = {key: _put(cfg, key, value) for key, value in values.items() if key not in given}
    return [outcome for outcome in outcomes.values() if outcome]
