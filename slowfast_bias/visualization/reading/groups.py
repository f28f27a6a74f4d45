"""Which networks a figure shows together: 3D CNNs, SlowFast and its parts, transformers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing.layer_axis import pathway

GROUPS = ("3D CNNs", "SlowFast variants", "transformers")
OTHERS = "other networks"

_STAGE = re.compile(r"(s[1-5]|head)(/\d+)?")
_BLOCK = re.compile(r".*\.(\d+)")


def group_of(report: BiasReport) -> str:
    """Returns the group that a report names; of an older one, by the names of its layers."""
    named = report.meta.get("group")
    if named in GROUPS:
        return named
    layers = list(report.layers)
    if any(pathway(layer) is not None for layer in layers):
        return GROUPS[1]
    if all(_STAGE.fullmatch(layer) for layer in layers):
        return GROUPS[0]
    blocks = [layer for layer in layers if _BLOCK.fullmatch(layer)]
    return GROUPS[2] if len(blocks) > 1 and len(blocks) >= len(layers) - 1 else OTHERS


def grouped(reports: Mapping[str, BiasReport]) -> dict[str, dict[str, BiasReport]]:
    """Returns {group: {model: report}} without empty groups, in the order of GROUPS."""
    found: dict[str, dict[str, BiasReport]] = {group: {} for group in (*GROUPS, OTHERS)}
    for name, report in reports.items():
        found[group_of(report)][name] = report
    return {group: members for group, members in found.items() if members}
