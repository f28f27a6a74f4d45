"""Preparing: network, natural clips and units; all that can be wrong with them comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias import LayerBias, Tap
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import ClipSource, class_names_of
from slowfast_bias.datasets.lists.class_index import ClassIndex, read_class_names
from slowfast_bias.engine.maximising.choosing import (
    Chosen,
    choose_channels,
    choose_classes,
    confused_pairs,
)
from slowfast_bias.engine.maximising.making import Workshop
from slowfast_bias.engine.maximising.natural import Natural, canvas_of, open_source, show_natural
from slowfast_bias.engine.maximising.packing import has_flow, packing
from slowfast_bias.engine.maximising.settings import Settings
from slowfast_bias.engine.maximising.twins import open_twins
from slowfast_bias.engine.maximising.wishes import (
    KEY,
    PAIR,
    Wish,
    need_channels,
    need_classes,
    need_report,
)
from slowfast_bias.engine.measuring.layers import find_layer, make_taps
from slowfast_bias.engine.setup.network import Trained
from slowfast_bias.engine.testing.unit_ranking import report_for
from slowfast_bias.optvis import Canvas, Responder

LAYER = "BIAS.MAXIMISE.LAYER"


class Prepared(NamedTuple):
    """What units are made with, which they are, and the pairs of classes among them."""

    shop: Workshop
    chosen: list[Chosen]
    pairs: list[tuple[int, int]]


def prepare(cfg: CfgNode, trained: Trained, wishes: Sequence[Wish]) -> Prepared:
    """Returns everything that a run needs; a wish that cannot be granted is an error before it."""
    flow = has_flow(trained.model)
    source = open_source(cfg, flow)
    canvas = canvas_of(source, cfg.BIAS.SEED, flow)
    settings = Settings.of(cfg, canvas)
    responder = Responder(trained.model, _taps(cfg, trained, wishes), packing(cfg, trained.model))
    channels = _channels(cfg, trained, responder, canvas, wishes)
    classes = _classes(cfg, trained, source, wishes)
    natural = show_natural(cfg, source, responder)
    pairs = _pairs(natural, wishes)
    chosen = [*channels, *(choose_classes(wishes, classes, pairs) if classes else [])]
    twins = open_twins(cfg, source, responder.taps)
    return Prepared(Workshop(responder, natural, twins, canvas, settings), chosen, pairs)


def _taps(cfg: CfgNode, trained: Trained, wishes: Sequence[Wish]) -> list[Tap]:
    """Returns the taps of the network's kind, and that of the layer if it is another."""
    taps = {tap.label: tap for tap in make_taps(trained.model, ["auto"])}
    if need_channels(wishes):
        tap = find_layer(trained.model, cfg.BIAS.MAXIMISE.LAYER, LAYER)
        taps.setdefault(tap.label, tap)
    return list(taps.values())


def _channels(
    cfg: CfgNode, trained: Trained, responder: Responder, canvas: Canvas, wishes: Sequence[Wish]
) -> list[Chosen]:
    if not need_channels(wishes):
        return []
    layer, widths = cfg.BIAS.MAXIMISE.LAYER, _widths(responder, canvas)
    if layer not in widths:
        pathways = [name for name in widths if name.startswith(f"{layer}/")]
        known = ", ".join(pathways or widths)
        raise ConfigError([f"{LAYER}: expected one of {known}, but got {layer!r}"])
    return choose_channels(wishes, layer, widths[layer], _report(cfg, trained, layer, wishes))


def _widths(responder: Responder, canvas: Canvas) -> dict[str, int]:
    """Returns {layer: its number of units}, by a forward of one grey clip."""
    size = (canvas.frames, canvas.height, canvas.width)
    scene = [torch.full((1, 3, *size), 0.5), *([torch.zeros(1, 2, *size)] if canvas.flow else [])]
    return {name: x.shape[1] for name, x in responder.measure(scene).features.items()}


def _report(cfg: CfgNode, trained: Trained, layer: str, wishes: Sequence[Wish]) -> LayerBias | None:
    if not need_report(wishes):
        return None
    tap = find_layer(trained.model, layer, LAYER)
    return report_for(cfg, trained.model, trained.weights, tap, layer, LAYER)[0][layer]


def _classes(
    cfg: CfgNode, trained: Trained, source: ClipSource, wishes: Sequence[Wish]
) -> ClassIndex | None:
    """Returns the classes of the network by name; None if no wish is about them."""
    if not need_classes(wishes):
        return None
    if has_flow(trained.model) or trained.has_fresh_classifier:
        why = "its classifier is at random" if trained.has_fresh_classifier else "it makes masks"
        problem = f"{KEY}: expected a network with classes for class:NAME and pairs:N, but {why}"
        raise ConfigError([problem])
    file, count = cfg.BIAS.BEHAVIOUR.CLASS_NAMES, cfg.MODEL.NUM_CLASSES
    names = read_class_names(file, count) if file else class_names_of(source.dataset)
    index = ClassIndex(names, count)
    choose_classes(wishes, index, [])  # raises if there is no such class
    return index


def _pairs(natural: Natural, wishes: Sequence[Wish]) -> list[tuple[int, int]]:
    count = max((wish.number for wish in wishes if wish.by == PAIR), default=0)
    if not count:
        return []
    labels = natural.labels()
    if labels is None:
        raise ConfigError([f"{KEY}: expected a list with classes for pairs:N, but it has none"])
    return confused_pairs(natural.response.scores, labels, count)
