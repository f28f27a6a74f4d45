"""Top clips: those that drive the units of a network most and least, and the classes of units.

Which clips they are is known when a measurement ends, as every unit's were kept on the way, without
a second pass of the network. Only those that are shown are read again: a pass cannot keep pictures
while it does not know yet which units will be shown.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import BiasMeter, BiasReport, PairStats
from slowfast_bias.bias.class_evidence import against_classes, class_evidence, top_classes
from slowfast_bias.bias.extremes import Extremes, Ranked
from slowfast_bias.bias.top_units import TopUnit, top_units, with_few_videos
from slowfast_bias.datasets.contract import ClipSource
from slowfast_bias.datasets.pairs.request import PairMaker
from slowfast_bias.engine.measuring.film_strips import Shown, read_strips
from slowfast_bias.engine.measuring.probe import TopClips
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.files import cannot_write, try_folder, write_whole
from slowfast_bias.models.families import classifier_weight
from slowfast_bias.outputs import Outputs, strip_name
from slowfast_bias.results import write_result
from slowfast_bias.visualization.drawing.film_strip import Strip

log = logging.getLogger(__name__)

KIND = "top_clips"
STRIPS = 200  # different clips in a file: about 2 MB of pictures
CLASSES = 3  # of a unit before the classifier
HEAD = "head"  # what reports call that layer
Classes = dict[str, list[dict[str, Any]]]  # of a unit, by key of the file


@dataclass(frozen=True)
class Kept:
    """What a measurement keeps of a network for this, the same on every process.

    Attributes:
        extremes: of all units of all layers, side by side.
        shown: the clips.
        head: statistics of what the classifier gets; None if it was not measured.
    """

    extremes: Extremes
    shown: Shown
    head: PairStats | None


def keep_over_ranks(
    mine: TopClips | None, meter: BiasMeter, source: ClipSource, maker: PairMaker
) -> Kept:
    """Returns what all processes kept; each must call it, and one at least must have clips.

    Args:
        mine: what this process kept.
        meter: the pairs of all processes.
        source: the clips.
        maker: of their views.
    """
    own = mine and mine._replace(extremes=mine.extremes.to("cpu"))
    every = [kept for kept in ranks.gather_objects(own) if kept is not None]
    extremes = functools.reduce(Extremes.merge, [kept.extremes for kept in every])
    shown = Shown(source, maker, every[0].view)
    return Kept(extremes, shown, meter.statistics("static").get(HEAD))


def check_top_clips(cfg: CfgNode) -> None:
    """Raises OutputError, before any work, if the folder of the strips cannot be written to."""
    if not cfg.BIAS.TOP_CLIPS:
        return
    folder = Outputs(cfg.OUTPUT_DIR).top_clip_strips
    try:
        try_folder(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error


def write_top_clips(cfg: CfgNode, report: BiasReport, model: nn.Module, kept: Kept) -> None:
    """Writes `bias/top_clips.json` and its film strips; every process must call it.

    Args:
        cfg: the config.
        report: of the network.
        model: the network.
        kept: what its measurement kept.
    """
    if not all(layer.complete for layer in report.layers.values()):
        log.warning(
            "no top clips: units are chosen by static and dynamic pairs, there are not both"
        )
        return
    every = top_units(report.layers, kept.extremes, cfg.BIAS.TOP_UNITS)
    units = with_few_videos(every, STRIPS)
    wanted = {video for unit in units for video in unit.videos()}
    strips, unreadable = read_strips(cfg, kept.shown, wanted)
    if not ranks.is_master():
        return
    cut = sum(len(unit.videos()) for unit in every) - sum(len(unit.videos()) for unit in units)
    if cut:
        log.info("top clips: %d places of units are left out, to show %d clips", cut, STRIPS)
    for video in unreadable.values():
        log.warning("no strip of %s (%s), read a second time: %s", *video)
    meta = {
        **report.meta,
        "top_clips": cfg.BIAS.TOP_CLIPS,
        "top_units": cfg.BIAS.TOP_UNITS,
        "left_out": cut,
        "unreadable_again": [{"video": v, **bad._asdict()} for v, bad in unreadable.items()],
    }
    classes = _classes(report, model, kept.head)
    _write(Outputs(cfg.OUTPUT_DIR), meta, _data(units, kept.shown, strips, classes), strips)


def _data(
    units: Sequence[TopUnit],
    shown: Shown,
    strips: Mapping[int, Strip],
    classes: Callable[[int], Classes] | None,
) -> dict[str, Any]:
    """Returns the content of the file."""
    first = next(iter(strips.values()), Strip(b"", 0, (0, 0)))
    positions = {video: place for place, video in enumerate(shown.source.videos)}

    def entries(ranked: Sequence[Ranked]) -> list[dict[str, Any]]:
        return [_entry(x, shown.source, positions[x.video]) for x in ranked if x.video in strips]

    found = []
    for unit in units:
        more = classes(unit.unit) if classes and unit.layer == HEAD else {}
        lists = {"most": entries(unit.most), "least": entries(unit.least)}
        about = {"layer": unit.layer, "unit": unit.unit, "kind": unit.kind, "scores": unit.scores}
        found.append({**about, **lists, **more})
    size = list(first.size)
    return {"view": shown.view, "frames": first.frames, "size": size, "units": found}


def _entry(ranked: Ranked, source: ClipSource, position: int) -> dict[str, Any]:
    path, row = source.describe(position)
    strip = strip_name(ranked.video)
    return {"video": ranked.video, "path": path, "row": row, "value": ranked.value, "strip": strip}


def _classes(
    report: BiasReport, model: nn.Module, head: PairStats | None
) -> Callable[[int], Classes] | None:
    """Returns a function: unit of the head -> the classes it serves; None if it is not known.

    `classes` are those of the most evidence, which may be less than 0; `against` is the one that
    the unit speaks against most, none if there is no such class.
    """
    weight = classifier_weight(model)
    sizes = None if head is None else (report.meta["classes"], len(head.mean_a))
    if weight is None or tuple(weight.shape) != sizes:
        return None
    names = {number: name for name, number in report.meta.get("class_names", {}).items()}
    evidence = class_evidence(weight, head)

    def of(unit: int) -> Classes:
        lists = {
            "classes": top_classes(evidence, unit, CLASSES),
            "against": against_classes(evidence, unit, 1),
        }
        return {
            key: [{"class": c, "name": names.get(c, ""), "evidence": x} for c, x in found]
            for key, found in lists.items()
        }

    return of


def _write(
    outputs: Outputs, meta: Mapping[str, Any], data: Mapping[str, Any], strips: Mapping[int, Strip]
) -> None:
    path = outputs.top_clips
    try:
        for video, strip in strips.items():
            path = outputs.top_clip_strip(video)
            with write_whole(path, "wb") as file:
                file.write(strip.webp)
        path = outputs.top_clips
        write_result(path, KIND, meta, data)
    except OSError as error:
        raise cannot_write(path, error) from error
    log.info("top clips of %d units: %s", len(data["units"]), path)
