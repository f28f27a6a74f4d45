"""What the verdict on a run rests on, read from its results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slowfast_bias.bias import BiasReport, LayerBias
from slowfast_bias.bias.comparison import difference
from slowfast_bias.bias.origin import flow_pairs, is_reference, origin
from slowfast_bias.bias.report_text import recognition_words
from slowfast_bias.visualization.drawing.bands import chance_of
from slowfast_bias.visualization.drawing.layer_axis import stage, stages
from slowfast_bias.visualization.html.blocks import Share
from slowfast_bias.visualization.html.doubts import Grounds, doubts
from slowfast_bias.visualization.html.flow_verdict import (
    flow_sentence,
    masks_sentence,
    share_sentence,
)
from slowfast_bias.visualization.html.grounds import Looks, Motion, Rate, Score, Shuffling
from slowfast_bias.visualization.html.verdict import (
    Sentence,
    looks_sentence,
    motion_sentence,
    shuffling_sentence,
)
from slowfast_bias.visualization.reading.comparable import differences
from slowfast_bias.visualization.reading.designs import twins
from slowfast_bias.visualization.reading.flow_words import cautions, change_of
from slowfast_bias.visualization.reading.mask_answers import is_of_masks
from slowfast_bias.visualization.reading.mask_results import overall_of
from slowfast_bias.visualization.reading.result_files import number, span
from slowfast_bias.visualization.reading.run_folder import RunFolder
from slowfast_bias.visualization.reading.same_network import other_weights_words

_ONLY = {"static": "static-only", "dynamic": "dynamic-only"}


@dataclass(frozen=True)
class Verdict:
    """Three sentences on a run, the layer that they are of, reasons to doubt them, its units."""

    layer: str
    sentences: tuple[Sentence, Sentence, Sentence]
    doubts: list[str]
    kinds: list[Share]


def verdict_of(run: RunFolder, others: Iterable[RunFolder] = ()) -> Verdict:
    """Returns the verdict on a run; its untrained twin may be among the other runs of the page."""
    beside = untrained_twin(run, others)
    layer = last_layer(run.report) if run.report else ""
    looks, motion = _looks(run.report, layer), _motion(run.report, layer, beside)
    if is_of_flow(run):
        change = change_of(run.report.meta) if run.report else None
        tested = run.battery if is_of_masks(run.battery) else None
        sentences = (
            flow_sentence(looks, change),
            share_sentence(motion, change),
            masks_sentence(tested, overall_of(run.masks)),
        )
    else:
        sentences = (
            looks_sentence(looks),
            motion_sentence(motion),
            shuffling_sentence(shuffling_of(run)),
        )
    return Verdict(
        layer, sentences, doubts(_grounds(run, layer, beside)), _kinds(run.report, layer)
    )


def is_of_flow(run: RunFolder) -> bool:
    """Returns whether a run is of a network of image and flow."""
    measured = bool(run.report and flow_pairs(run.report.meta))
    return measured or bool(run.masks) or is_of_masks(run.battery)


def last_layer(report: BiasReport) -> str:
    """Returns the layer nearest to the output; of several pathways the one with most units.

    Of a network of image and flow it is the deepest one where both meet.
    """
    last = stages(report.layers)[-1]
    members = [layer for layer in report.layers if stage(layer) == last]
    return max(members, key=lambda layer: report[layer].channels)


def untrained_twin(run: RunFolder, others: Iterable[RunFolder] = ()) -> BiasReport | None:
    """Returns the report of the same layers with random weights, measured alike; None if none."""
    report = run.report
    if report is None or is_reference(report):
        return None
    found = [*run.others.values(), *(x.report for x in others if x.report)]
    return next((x for x in found if _alike(report, x)), None)


def shuffling_of(run: RunFolder) -> Shuffling | None:
    """Returns accuracies in and out of order, of the frame orders or else of the battery."""
    if run.orders:
        data = run.orders
        drop = Rate(number(data, "relative_drop"), *span(data, "relative_drop_interval"))
        return Shuffling(_rate(data["ordered"]), _rate(data["shuffled"]), drop, chance_of(data))
    variants = run.battery["variants"] if run.battery else {}
    if not {"ordered", "shuffled"} <= set(variants):
        return None
    ordered, shuffled = (_rate(variants[name]) for name in ("ordered", "shuffled"))
    drop = _relative(ordered.value, shuffled.value, variants["shuffled"].get("against_ordered"))
    return Shuffling(ordered, shuffled, drop, chance_of(run.battery), by_points=True)


def score_of(layer: LayerBias, name: str) -> Score | None:
    """Returns a score with its error; None if it was not measured."""
    if name not in layer.measured:
        return None
    return Score(layer.score(name), layer.score_error(name))


def _kinds(report: BiasReport | None, name: str) -> list[Share]:
    """Returns the kinds of live units of a layer, the largest first."""
    if report is None or not report[name].complete:
        return []
    kinds = {kind: len(units) for kind, units in report[name].units().items() if kind != "dead"}
    alive = sum(kinds.values())
    found = [Share(_ONLY.get(x, x), x, 100 * n / alive) for x, n in kinds.items() if n]
    return sorted(found, key=lambda share: -share.percent)


def _alike(a: BiasReport, b: BiasReport) -> bool:
    same = twins(a, b) and a.meta.get("videos") == b.meta.get("videos")
    return same and not differences({"a": a, "b": b})


def _looks(report: BiasReport | None, name: str) -> Looks | None:
    if report is None:
        return None
    layer, units = report[name], None
    if layer.complete:
        kinds = layer.units()
        units = (layer.channels - len(kinds["dead"]), len(kinds["static"]))
    static, content = (score_of(layer, x) for x in ("static", "content"))
    return Looks(name, static, content, units, layer.frame_wise)


def _motion(report: BiasReport | None, name: str, beside: BiasReport | None) -> Motion | None:
    if report is None:
        return None
    layer = report[name]
    dynamic, content, motion = (score_of(layer, x) for x in ("dynamic", "content", "motion"))
    untrained = score_of(beside[name], "motion") if beside else None
    return Motion(dynamic, content, motion, untrained, layer.frame_wise)


def _grounds(run: RunFolder, name: str, beside: BiasReport | None) -> Grounds:
    tested = (run.orders or run.battery or {}).get("meta", {})
    dropped, others = len(tested.get("dropped_videos") or ()), other_weights_words(run)
    if run.report is None:
        return Grounds(
            measured=False, dropped_in_test=dropped, other_weights=others, tested=_tested(run)
        )
    report, meta, gap = run.report, run.report.meta, None
    known = origin(meta)
    if beside and all("motion" in x[name].measured for x in (report, beside)):
        found = difference(report, beside, "motion", (name, name))
        gap = Score(found.value, found.error)
    return Grounds(
        True,
        report.warnings,
        _recordings(meta),
        bool(recognition_words(meta)) or is_of_flow(run),  # masks have no class to recognise
        is_reference(report),
        beside is not None,
        gap,
        known.get("styles", ""),
        known.get("seed", ""),
        others,
        dropped,
        _tested(run),
        cautions([meta]),
    )


def _recordings(meta: Mapping[str, Any]) -> int | None:
    found = meta.get("recordings", meta.get("videos"))
    return found if isinstance(found, int) else None


def _tested(run: RunFolder) -> tuple[int, int] | None:
    """Returns the videos that the verdict's accuracies are of, and their recordings."""
    data = run.orders or ({} if is_of_masks(run.battery) else run.battery) or {}
    meta = data.get("meta", {})
    videos = data.get("videos", meta.get("videos"))
    recordings = data.get("recordings", meta.get("recordings", videos))
    known = isinstance(videos, int) and isinstance(recordings, int)
    return (videos, recordings) if known else None


def _rate(data: Mapping[str, Any]) -> Rate:
    return Rate(number(data, "accuracy"), *span(data))


def _relative(ordered: float, shuffled: float, against: Mapping[str, Any] | None) -> Rate:
    """Returns the lost share of an accuracy, from the paired difference in points."""
    if not ordered > 0:
        return Rate(math.nan)
    lost, (low, high) = ordered - shuffled, span(against or {})
    if lost * number(against or {}, "difference") < 0:  # given as a change, not as a loss
        low, high = -high, -low
    return Rate(*(100 * x / ordered for x in (lost, low, high)))
