"""Choosing: which units and classes the wishes stand for; errors before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slowfast_bias.bias import LayerBias
from slowfast_bias.bias.top_units import SHOWN, choose_units
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.lists.class_index import ClassIndex
from slowfast_bias.engine.maximising.wishes import CLASS, KEY, LIST, PAIR, Wish
from slowfast_bias.optvis.objective import CLASSES

_SCORES = ("static", "dynamic", "motion", "look")


@dataclass(frozen=True)
class Chosen:
    """A unit that is maximised.

    Attributes:
        layer: its layer; "class" for a class.
        unit: its channel, or the class.
        chosen_as: a kind of units, "list", "class" or "pair".
        name: of a class, if it has one.
        score: {score: value} of the report; None without one.
    """

    layer: str
    unit: int
    chosen_as: str
    name: str | None = None
    score: dict[str, float] | None = None


def choose_channels(
    wishes: Sequence[Wish], layer: str, channels: int, bias: LayerBias | None
) -> list[Chosen]:
    """Returns the units of a layer that are asked for; ConfigError if there are fewer.

    Args:
        wishes: all of them.
        layer: the layer.
        channels: how many units it has.
        bias: what its report says; None if no wish needs one.
    """
    found, problems = [], []
    for wish in wishes:
        if wish.by == LIST and wish.number >= channels:
            problems.append(
                f"{KEY}: expected units from 0 to {channels - 1} of {layer}, but got {wish.number}"
            )
        elif wish.by == LIST:
            found.append(Chosen(layer, wish.number, LIST, score=scores_of(bias, wish.number)))
        elif wish.by in SHOWN and bias is not None:
            units = choose_units(bias, wish.number)[wish.by]
            if len(units) < wish.number:
                problems.append(_too_few(wish, layer, len(units)))
            found += [Chosen(layer, x, wish.by, score=scores_of(bias, x)) for x in units]
    if problems:
        raise ConfigError(problems)
    return _each_once(found)


def choose_classes(
    wishes: Sequence[Wish], classes: ClassIndex, pairs: Sequence[tuple[int, int]]
) -> list[Chosen]:
    """Returns the classes that are asked for, those of `pairs` among them."""
    numbers = [
        classes.number(wish.name, KEY, f"class:{wish.name}") for wish in wishes if wish.by == CLASS
    ]
    found = [(number, CLASS) for number in numbers]
    found += [(number, PAIR) for pair in pairs for number in pair]
    names = classes.names
    return _each_once([Chosen(CLASSES, x, by, names.get(x)) for x, by in found])


def confused_pairs(scores: Tensor, labels: Sequence[int], count: int) -> list[tuple[int, int]]:
    """Returns the pairs of classes that are mixed up most often, either way; ConfigError if fewer.

    Args:
        scores: (N, classes) of natural clips.
        labels: (N,) their classes.
        count: how many pairs.
    """
    truth, named = torch.tensor(labels), scores.argmax(1)
    both = torch.zeros(scores.shape[1], scores.shape[1], dtype=torch.long)
    both.index_put_((truth, named), torch.ones_like(truth), accumulate=True)
    mixed = (both + both.T).triu(1).flatten()
    order = mixed.argsort(descending=True, stable=True)[:count].tolist()
    pairs = [divmod(place, scores.shape[1]) for place in order if mixed[place]]
    if len(pairs) < count:
        raise ConfigError(
            [
                f"{KEY}: expected {count} pairs of classes that the network mixes up, but of "
                f"{len(labels)} clips it mixes up {len(pairs)}; ask for fewer pairs, or raise "
                "BIAS.MAXIMISE.NUM_VIDEOS"
            ]
        )
    return pairs


def scores_of(bias: LayerBias | None, unit: int) -> dict[str, float] | None:
    """Returns {score: value} of a unit, those that its report has."""
    if bias is None:
        return None
    known = [score for score in _SCORES if score in bias.measured]
    return {score: bias.unit_scores(score)[unit].item() for score in known}


def _too_few(wish: Wish, layer: str, there: int) -> str:
    instead = f"ask for {wish.by}:{there}" if there else f"leave {wish.by} out"
    return (
        f"{KEY}: expected {wish.number} {wish.by} units in {layer}, but its report has {there} "
        f"that live; {instead}, or choose another BIAS.MAXIMISE.LAYER"
    )


def _each_once(chosen: Sequence[Chosen]) -> list[Chosen]:
    first: dict[int, Chosen] = {}
    for one in chosen:
        first.setdefault(one.unit, one)
    return list(first.values())
