"""Which networks a figure shows side by side: their design, by the report itself.

A report says its design in its meta, since runs write it; `sb.measure(..., meta={"design": "cnn"})`
says it of any network. Older reports, and networks that no kind of ours names, go by the names of
their layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import (
    CNN,
    DESIGN,
    DESIGNS,
    SLOWFAST,
    TRANSFORMER,
    TWO_STREAM,
    is_reference,
)
from slowfast_bias.visualization.drawing.block_axis import block_of
from slowfast_bias.visualization.drawing.layer_axis import pathway, stages, stream_of

OTHER = "other"
TITLES = {
    CNN: "3D CNNs",
    SLOWFAST: "SlowFast variants",
    TRANSFORMER: "Transformers",
    TWO_STREAM: "Two-stream networks",
    OTHER: "Other networks",
}
_FEWEST_BLOCKS = 8  # of a transformer; pytorchvideo's CNNs number up to seven `blocks` as well


def by_design(reports: Mapping[str, BiasReport]) -> dict[str, dict[str, BiasReport]]:
    """Returns {design: {network: report}}, designs in the order of TITLES, none without a report.

    An untrained network that does not say its design is beside the one whose layers it has.
    """
    found: dict[str, dict[str, BiasReport]] = {design: {} for design in TITLES}
    for name, report in reports.items():
        found[design_of(_twin(report, reports) or report)][name] = report
    return {design: members for design, members in found.items() if members}


def design_of(report: BiasReport) -> str:
    """Returns the design that a report says, else the one that its layers' names suggest."""
    said = report.meta.get(DESIGN)
    return said if said in DESIGNS else _guess(report)


def _guess(report: BiasReport) -> str:
    old = str(report.meta.get("model")).split()  # MODEL_NAME, ARCH, ... of a run
    if {pathway(layer) for layer in report.layers} >= {0, 1} or "fast" in old:
        return SLOWFAST
    names = stages(report.layers)
    if names and all(map(stream_of, names)):
        return TWO_STREAM
    if {"s1", "s2", "s3", "s4", "s5"} & set(names):
        return CNN
    numbers = defaultdict(set)
    for prefix, number in filter(None, map(block_of, names)):
        numbers[prefix].add(number)
    long = any(len(x) > 1 and max(x) >= _FEWEST_BLOCKS - 1 for x in numbers.values())
    return TRANSFORMER if long else OTHER


def _twin(report: BiasReport, reports: Mapping[str, BiasReport]) -> BiasReport | None:
    """Returns the network of which `report`, which says no design, is the untrained one."""
    if report.meta.get(DESIGN) in DESIGNS or not is_reference(report):
        return None
    return next((x for x in reports.values() if twins(x, report)), None)


def twins(network: BiasReport, reference: BiasReport) -> bool:
    """Returns whether one report is of a network, the other of the same network untrained."""
    same = [*network.layers] == [*reference.layers]
    model = network.meta.get("model") == reference.meta.get("model")
    return same and model and is_reference(reference) and not is_reference(network)
