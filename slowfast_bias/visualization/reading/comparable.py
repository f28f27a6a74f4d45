"""Checks that several reports are comparable: the same measurement of the same videos.

What is not: another statistic or threshold, list or number of videos, bank or seed. It is said
beside tables and figures; nothing is ever averaged over reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.bias import BiasReport

SETTINGS = ("statistic", "threshold", "data", "list", "videos", "pairs_made", "seed", "order")
STYLES = ("source", "family", "num", "seed", "dirs")
TESTED = ("data", "list", "videos", "classes")
_SILENT = "not known"


def differences(reports: Mapping[str, BiasReport]) -> dict[str, str]:
    """Returns {setting: its values, with names of reports} if reports differ in it; {} if not."""
    settings = (*SETTINGS, *(f"styles.{key}" for key in STYLES))
    return _differences({n: {x: _setting(r, x) for x in settings} for n, r in reports.items()})


def differences_of_tests(tests: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Returns the same of tests by their results: another list, or other classes.

    A test that does not say one of these, as old ones, is not held against the others.
    """
    found = {}
    for name, data in tests.items():
        known = {**data.get("meta", {}), **{k: data[k] for k in TESTED if data.get(k) is not None}}
        found[name] = {key: str(known[key]) for key in TESTED if known.get(key) is not None}
    return _differences(found)


def _differences(values: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    found = {}
    for setting in dict.fromkeys(key for known in values.values() for key in known):
        named: dict[str, list[str]] = {}
        for name, known in values.items():
            if setting in known:
                named.setdefault(known[setting], []).append(name)
        if len(named) > 1:
            found[setting] = "; ".join(f"{x} ({', '.join(names)})" for x, names in named.items())
    return found


def _setting(report: BiasReport, setting: str) -> str:
    value: Any = report.meta
    if setting in ("statistic", "threshold"):  # each layer has it, also if the meta has not
        return str(getattr(next(iter(report.layers.values())), setting))
    for key in setting.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return _SILENT if value is None else str(value)
