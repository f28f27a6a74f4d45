"""Making: the clips of one unit, at all speeds from all seeds, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slowfast_bias.engine.maximising.choosing import Chosen
from slowfast_bias.engine.maximising.natural import Natural
from slowfast_bias.engine.maximising.settings import Settings
from slowfast_bias.engine.maximising.twins import Twin, mean_transfer
from slowfast_bias.optvis import (
    Canvas,
    ClassOdds,
    Responder,
    Target,
    Unit,
    maximise,
    quantised,
    reversed_in_time,
)
from slowfast_bias.optvis import numbers as of
from slowfast_bias.optvis.flow_numbers import moved
from slowfast_bias.optvis.objective import CLASSES
from slowfast_bias.optvis.paths import path_similarity
from slowfast_bias.optvis.render import Bar, Made
from slowfast_bias.outputs import unit_clips_name

DEAD = "the unit is dead: it is the same for all natural clips"
BROKEN = "a value that is not finite came up: the clips are those of the last good step"
FLAT = "the activation did not rise: there is no gradient, with leaky rectifiers neither"


@dataclass(frozen=True)
class Workshop:
    """What every unit is made with.

    Attributes:
        responder: the network, its layers tapped.
        natural: what it makes of natural clips.
        twins: other networks.
        canvas: the size of clips.
        settings: how.
    """

    responder: Responder
    natural: Natural
    twins: list[Twin]
    canvas: Canvas
    settings: Settings

    def earlier(self, chosen: Chosen) -> list[str]:
        """Returns the layers that run before that of a unit; of a class, all."""
        base = _base(chosen.layer)
        layers = list(self.natural.response.features)
        return layers[: next((k for k, x in enumerate(layers) if _base(x) == base), len(layers))]

    def target(self, chosen: Chosen) -> Target:
        """Returns what rises for a unit."""
        if chosen.layer == CLASSES:
            return ClassOdds(chosen.unit)
        largest = self.natural.values(chosen.layer, chosen.unit).abs().max()
        return Unit(chosen.layer, chosen.unit, float(largest))


@dataclass(frozen=True)
class Product:
    """A unit's row of the file, and its clips: rgb, flow and natural."""

    row: dict[str, Any]
    arrays: dict[str, np.ndarray]


def make_unit(shop: Workshop, chosen: Chosen, bar: Bar) -> Product:
    """Returns the clips and the numbers of a unit; a dead one has neither."""
    row = _begun(shop, chosen)
    if row["dead"]:
        return Product(row, {})
    parts = []
    rows, batch, target = shop.settings.rows(), shop.settings.batch, shop.target(chosen)
    lean = Responder(shop.responder.model, _taps_of(shop, chosen), shop.responder.pack)
    for start in range(0, len(rows), batch):
        some = rows[start : start + batch]
        parts.append(maximise(lean, target, some, shop.canvas, shop.settings.recipe, bar))
    scene = quantised([torch.cat(xs) for xs in zip(*(part.scene for part in parts), strict=True)])
    row["by_speed"] = _by_speed(shop, chosen, target, scene)
    row |= _over_speeds(row) | _problems(parts, row, [x.speed.frozen for x in rows])
    return Product(row, _arrays(shop, scene, chosen))


def _taps_of(shop: Workshop, chosen: Chosen) -> list[Any]:
    """Returns the taps that a loop needs: that of the unit's layer; of a class, any one."""
    own = [tap for tap in shop.responder.taps if tap.label in (chosen.layer, _base(chosen.layer))]
    return own or shop.responder.taps[-1:]


def _base(layer: str) -> str:
    """Returns the layer that a pathway is of: "s5" for "s5/1"."""
    base, _, pathway = layer.rpartition("/")
    return base if base and pathway.isdecimal() else layer


def _begun(shop: Workshop, chosen: Chosen) -> dict[str, Any]:
    natural, layer, unit = shop.natural, chosen.layer, chosen.unit
    values, dead = natural.values(layer, unit), natural.is_dead(layer, unit)
    top = [] if dead else natural.top(layer, unit, shop.settings.top_clips)
    return {
        "layer": layer,
        "unit": unit,
        "name": chosen.name,
        "chosen_as": chosen.chosen_as,
        "score": chosen.score,
        "dead": dead,
        "failed": DEAD if dead else None,
        "natural_max": values.max().item(),
        "natural_mean": values.mean().item(),
        "natural": [{"video": natural.name(k), "value": values[k].item()} for k in top],
        "motion_need": None,
        "motion_need_interval": None,
        "preferred_speed": None,
        "by_speed": {},
        "leaky": False,
        "file": None if dead else unit_clips_name(layer, unit),
    }


def _by_speed(
    shop: Workshop, chosen: Chosen, target: Target, scene: Sequence[Tensor]
) -> dict[str, dict[str, Any]]:
    batch, natural = shop.settings.batch, shop.natural
    response = shop.responder.measure(scene, batch)
    values = target.value(response).tolist()
    largest = natural.values(chosen.layer, chosen.unit).max().item()
    back = target.value(shop.responder.measure(reversed_in_time(scene), batch)).tolist()
    top = natural.top(chosen.layer, chosen.unit, shop.settings.top_clips)
    features = {name: x.cpu() for name, x in response.features.items()}
    path = path_similarity(features, natural.response.features, top, shop.earlier(chosen))
    moves = [moved(*(x[k] for x in scene)) for k in range(len(values))]
    columns = {
        "activation": values,
        "ratio": [x / largest for x in values] if largest > 0 else None,
        "frame_difference": [x.frame_difference for x in moves],
        "flow_magnitude": [x.flow_magnitude for x in moves],
        "direction_spread": [x.direction_spread for x in moves],
        "reversed": back,
        "path_similarity": path,
        "transfer": mean_transfer(shop.twins, chosen, natural, scene, batch),
    }
    each = len(shop.settings.seeds)
    return {
        speed.name: {
            name: None if column is None else column[k * each : (k + 1) * each]
            for name, column in columns.items()
        }
        for k, speed in enumerate(shop.settings.speeds)
    }


def _over_speeds(row: dict[str, Any]) -> dict[str, Any]:
    """Returns the numbers that compare speeds, those that there are."""
    reached = {name: column["activation"] for name, column in row["by_speed"].items()}
    found = {"preferred_speed": of.preferred_speed(reached, row["natural_mean"])}
    if of.FREE in reached and of.FROZEN in reached:
        needs = of.motion_needs(reached[of.FREE], reached[of.FROZEN], row["natural_mean"])
        found |= {"motion_need": of.mean_of(needs), "motion_need_interval": of.interval_of(needs)}
    return found


def _problems(parts: Sequence[Made], row: dict[str, Any], frozen: Sequence[bool]) -> dict[str, Any]:
    """Returns what went wrong; a frozen clip without a gradient is what a unit of motion gives."""
    leaks = [leak for part in parts for leak in part.leaky]
    leaky = any(leak and not still for leak, still in zip(leaks, frozen, strict=True))
    if any(broke for part in parts for broke in part.broken):
        return {"failed": BROKEN, "leaky": leaky}
    reached = [x for column in row["by_speed"].values() for x in column["activation"]]
    flat = leaky and max(reached) <= row["natural_mean"]
    return {"failed": FLAT if flat else None, "leaky": leaky}


def _arrays(shop: Workshop, scene: Sequence[Tensor], chosen: Chosen) -> dict[str, np.ndarray]:
    clips, *flow = scene
    shape = (len(shop.settings.speeds), len(shop.settings.seeds))
    rgb = (clips * 255).round().byte().permute(0, 2, 3, 4, 1)
    arrays = {"rgb": rgb.unflatten(0, shape).numpy()}
    if flow:
        field = flow[0].permute(0, 2, 3, 4, 1).half()
        arrays["flow"] = field.unflatten(0, shape).numpy()
    top = shop.natural.top(chosen.layer, chosen.unit, shop.settings.top_clips)
    arrays["natural"] = np.stack([shop.natural.clip(k) for k in top])
    return arrays
