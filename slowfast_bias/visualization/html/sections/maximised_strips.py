"""Film strips of the clips of a unit, made from its arrays once for a page."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from slowfast_bias.visualization.drawing.film_strip import Strip, make_strip
from slowfast_bias.visualization.drawing.flow_pictures import directions, largest_speed
from slowfast_bias.visualization.figures.maximised_words import natural_reached, reached
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.reading.maximised import Maximised, Unit

OF_DATA = "clips of the data"
_FRAMES, _LARGEST = 16, 24_000  # of a strip: frames and bytes


class MadeStrip(NamedTuple):
    """A strip, the two words below it, and what it is for whoever cannot see it."""

    strip: Strip
    name: str
    value: str
    text: str


@functools.lru_cache(maxsize=64)  # a page that is too large is rendered again
def strips_of(found: Maximised, unit: Unit) -> list[tuple[str, list[MadeStrip]]]:
    """Returns the rows of a unit: what each row shows, and its strips."""
    clips = found.clips(unit)
    best = [unit.best(speed) for speed in found.speeds]
    ratios = [reached(unit, speed) for speed in found.speeds]
    made = [clips.rgb[place, seed] for place, seed in enumerate(best)]
    rows = [("made for it", made, found.speeds, ratios, "a clip made for it")]
    if clips.flow is not None:
        largest = largest_speed(clips.flow)
        flow = [directions(clips.flow[k, seed], largest) for k, seed in enumerate(best)]
        title = "their flow: hue is direction (red: right, lime: down, cyan: left, violet: up)"
        rows.append((title, flow, found.speeds, ratios, "the flow of a clip made for it"))
    if clips.natural is not None:
        names = [_video(unit, place) for place in range(len(clips.natural))]
        ratios = [natural_reached(unit, place) for place in range(len(clips.natural))]
        rows.append((OF_DATA, [*clips.natural], names, ratios, "a clip of the data"))
    return [_row(unit, *row) for row in rows]


def _row(
    unit: Unit,
    title: str,
    clips: Sequence[np.ndarray],
    names: Sequence[str],
    ratios: Sequence[float],
    what: str,
) -> tuple[str, list[MadeStrip]]:
    films = []
    for clip, name, ratio in zip(clips, names, ratios, strict=True):
        pixels = torch.from_numpy(np.ascontiguousarray(clip)).permute(3, 0, 1, 2) / 255
        strip, value = make_strip(pixels, _FRAMES, _LARGEST), words.score(ratio, 2)
        frames = words.count(strip.frames, "frame")
        text = f"{unit.title}, {name}: {frames} of {what}; it reaches {value}"
        films.append(MadeStrip(strip, name, value, text))
    return title, films


def _video(unit: Unit, place: int) -> str:
    path = str(unit.natural[place].get("video") or "") if place < len(unit.natural) else ""
    return path.rstrip("/").rpartition("/")[2] or f"clip {place + 1}"
