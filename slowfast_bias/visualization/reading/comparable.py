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
_SILENT = "not known"


def differences(reports: Mapping[str, BiasReport]) -> dict[str, str]:
    """Returns {setting: its values, with names of reports} if reports differ in it; {} if not."""
    found = {}
    for setting in (*SETTINGS, *(f"styles.{key}" for key in STYLES)):
        named: dict[str, list[str]] = {}
        for name, report in reports.items():
            named.setdefault(_setting(report, setting), []).append(name)
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
