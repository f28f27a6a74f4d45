"""Result files of several runs, by the name of each run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.results import ResultError, read_object
from slowfast_bias.visualization.reading.report_files import default_names
from slowfast_bias.visualization.reading.shapes import check_shape

Check = Callable[[str, Mapping[str, Any]], None]  # (path, data and meta): ResultError if damaged


def read_results(
    paths: Sequence[str],
    kind: str,
    names: Sequence[str] | None = None,
    check: Check = check_shape,
) -> dict[str, dict[str, Any]]:
    """Returns {run: data and meta of its result file}; ResultError if a file is of another kind."""
    contents = [_content(path, kind, check) for path in paths]
    return dict(zip(name_runs(paths, names), contents, strict=True))


def _content(path: str, kind: str, check: Check) -> dict[str, Any]:
    content = read_object(path, kind)
    data = content.get("data", content)  # files from before there were kinds hold only the data
    if not isinstance(data, Mapping):
        raise ResultError(f"Expected an object as `data` of {path}, but got {type(data).__name__}.")
    found = {**data, "meta": content["meta"]}
    check(path, found)
    return found


def name_runs(paths: Sequence[str], names: Sequence[str] | None = None) -> list[str]:
    """Returns a name for each run: those given, else its folder's."""
    if names and len(names) != len(paths):
        raise RequestError(
            f"Expected as many names as runs, but got {len(names)} names for {len(paths)} runs: "
            "give one name per run, in the same order."
        )
    found = list(names) if names else default_names(paths, [BiasReport({})] * len(paths))
    twice = [name for name in found if found.count(name) > 1]
    if twice:
        raise RequestError(
            f"Expected names that differ, but got {twice[0]!r} {found.count(twice[0])} times: give "
            "one name per run with --names, and each run once."
        )
    return found


def number(row: Mapping[str, Any], key: str) -> float:
    """Returns the number under `key`; NaN if it is null or missing."""
    value = row.get(key)
    return math.nan if value is None else float(value)


def span(row: Mapping[str, Any], key: str = "interval") -> tuple[float, float]:
    """Returns the two ends under `key`; NaN if they are null or missing."""
    low, high = row.get(key) or (None, None)
    return number({"x": low}, "x"), number({"x": high}, "x")
