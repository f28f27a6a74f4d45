"""Results that are plain JSON, as ``bias/ablation.json`` and ``bias/orders.json``, by run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.reading.report_files import default_names

FORMAT = 1  # the newest that we know


def read_results(
    paths: Sequence[str], usual: str, names: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return {run: content of its file}; `usual` says in errors where a run leaves such a file."""
    contents = [read_result(path, usual) for path in paths]
    return dict(zip(name_runs(paths, names), contents, strict=True))


def read_result(path: str, usual: str) -> dict[str, Any]:
    """Return the object in the file, or say in one line why there is none."""
    try:
        with g_pathmgr.open(path, "r") as file:
            content = json.load(file)
    except OSError as error:
        raise ValueError(
            f"Expected a result file, but {path} could not be read ({error.strerror or error}): a "
            f"run leaves it in OUTPUT_DIR/{usual}."
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"Expected a result file, but {path} is not JSON ({error}): give a run's {usual}."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f"Expected an object in {path}, but got a list: give a run's {usual}.")
    if content.get("format", FORMAT) != FORMAT:
        raise ValueError(
            f"Expected a result of format {FORMAT}, but {path} has format "
            f"{content['format']!r}: another version of slowfast_bias wrote it."
        )
    return content


def name_runs(paths: Sequence[str], names: Sequence[str] | None = None) -> list[str]:
    """Return a name for each run: those given, else its folder's."""
    if names and len(names) != len(paths):
        raise ValueError(
            f"Expected as many names as runs, but got {len(names)} names for {len(paths)} runs: "
            "give one name per run, in the same order."
        )
    found = list(names) if names else default_names(paths, [BiasReport({})] * len(paths))
    twice = [name for name in found if found.count(name) > 1]
    if twice:
        raise ValueError(
            f"Expected names that differ, but got {twice[0]!r} {found.count(twice[0])} times: give "
            "one name per run with --names, and each run once."
        )
    return found


def number(row: Mapping[str, Any], key: str) -> float:
    """Return the number under `key`; NaN where it is null or not there."""
    value = row.get(key)
    return math.nan if value is None else float(value)


def span(row: Mapping[str, Any], key: str = "interval") -> tuple[float, float]:
    """Return the two ends under `key`; NaN where they are null or not there."""
    low, high = row.get(key) or (None, None)
    return number({"x": low}, "x"), number({"x": high}, "x")
