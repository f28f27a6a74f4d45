"""One layer of a report file, checked while it is read: a file may be cut short, or changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.scores import CONTRASTS, ORDER_FIGURES, STATISTICS
from slowfast_bias.results import ResultError

_UNITS = ("correlation", "pooled")
_SCORES = ("score", "pooled_score")
_DERIVED = (*CONTRASTS, *ORDER_FIGURES)


def read_layer(name: str, data: Any, statistic: str, threshold: float) -> LayerBias:
    """Returns the layer that `to_json` wrote; ResultError names what is not as it wrote it."""
    where = f"in layer {name!r}"
    for key in ("pairs", *_UNITS, *_SCORES, "stderr"):
        _object(data, key, where)
    factors = _factors(data, where)
    units = {key: _tensors(data[key], factors, key, where) for key in _UNITS}
    order = _object(data, "order", where, {})
    order = _tensors(order, [f for f in ORDER_FIGURES if f in order], "order", where)
    lengths = {len(x) for by in (*units.values(), order) for x in by.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ResultError(
            f"Expected as many units in all lists {where}, but got {sorted(lengths)}: the file was "
            "changed, or cut short."
        )
    names = [*factors, *(x for x in data["score"] if x in _DERIVED and x not in factors)]
    return LayerBias(
        pairs=dict(data["pairs"]),
        scores={
            s: _numbers(data[key], names, key, where)
            for s, key in zip(STATISTICS, _SCORES, strict=True)
        },
        stderr=_errors(data["stderr"], names, where),
        statistic=statistic,
        threshold=threshold,
        order=order,
        replicates={
            s: _tensors(by, list(by), "replicates", where)
            for s, by in _object(data, "replicates", where, {}).items()
        },
        **units,
    )


def _factors(data: Mapping[str, Any], where: str) -> list[str]:
    """Returns the factors of a layer, each with its number of pairs."""
    factors, pairs = list(data["correlation"]), data["pairs"]
    if not all(factor.isprintable() for factor in factors):
        raise ResultError(f"Expected names of factors {where}, but got {factors}.")
    good = all(type(pairs.get(f)) is int and 0 <= pairs[f] < 2**63 for f in factors)
    if not factors or not good:
        raise ResultError(f"Expected the number of `pairs` of each factor {where}.")
    return factors


def _errors(stderr: Mapping[str, Any], names: Iterable[str], where: str) -> dict[str, Any]:
    found: dict[str, Any] = _numbers(stderr, names, "stderr", where)
    for key in ("pooled", "percent", "units"):
        inner = _object(stderr, key, where, {})
        wanted = names if key == "pooled" else inner
        if key in stderr or key == "pooled":
            found[key] = _numbers(inner, wanted, f"stderr.{key}", where)
    return found


def _object(data: Any, key: str, where: str, default: Any = None) -> Mapping[str, Any]:
    value = data.get(key, default) if isinstance(data, Mapping) else None
    if not isinstance(value, Mapping):
        raise ResultError(f"Expected an object `{key}` {where}.")
    return value


def _numbers(
    data: Mapping[str, Any], names: Iterable[str], key: str, where: str
) -> dict[str, float]:
    found = {}
    for name in names:
        if name not in data:
            raise ResultError(f"Expected `{key}` of {name} {where}.")
        found[name] = _number(data[name], f"{key} of {name!r} {where}")
    return found


def _tensors(data: Any, names: Iterable[str], key: str, where: str) -> dict[str, Tensor]:
    found = {}
    for name in names:
        values = data.get(name) if isinstance(data, Mapping) else None
        what = f"{key} of {name!r} {where}"
        if not isinstance(values, list):
            raise ResultError(f"Expected a list as {what}, but got {type(values).__name__}.")
        numbers = [_number(value, what) for value in values]
        found[name] = torch.tensor(numbers, dtype=torch.float64)
    return found


def _number(value: Any, what: str) -> float:
    """Returns a number of the file, NaN for null; ResultError if it is none."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300:
        raise ResultError(f"Expected a number as {what}, but got {str(value)[:40]!r}.")
    return value
