"""The clips of one unit as film strips: a row per speed with its numbers, the data's beside them.

Of a network of two streams a speed has three strips: the image, its flow as components and speed,
and its flow as directions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from slowfast_bias.visualization.drawing import style
from slowfast_bias.visualization.drawing.captions import wrap_name
from slowfast_bias.visualization.drawing.clip_pictures import some_frames
from slowfast_bias.visualization.drawing.flow_pictures import (
    components,
    directions,
    largest_speed,
    wheel,
)
from slowfast_bias.visualization.drawing.inches import LINE, WIDTH, Page
from slowfast_bias.visualization.figures.maximised_words import (
    REACHED,
    SAID,
    chosen_words,
    in_its_measure,
    natural_reached,
    origin_sentence,
    reached,
    seeds_words,
    written,
)
from slowfast_bias.visualization.reading.maximised import Clips, Maximised, Unit

_WORDS, _GAP, _EDGE, _HEAD, _BETWEEN = 1.0, 0.2, 0.02, 0.42, 0.14  # inches
_LARGEST = 0.9  # height of a frame
_WHEEL, _LETTERS = 0.36, 44  # inches of the legend, letters of a title
_FRAMES, _BESIDE = 8, 4  # of a clip that was made, of one of the data
_NUMBERS = ("reversed", "transfer", "flow_magnitude", "path_similarity")


@style.styled()
def unit_figure(found: Maximised, unit: Unit) -> Figure:
    """Returns the film strips of a unit."""
    clips = found.clips(unit)
    natural = 0 if clips.natural is None else min(len(clips.natural), len(found.speeds))
    wide, beside = _widths(clips, natural)
    height = wide * clips.rgb.shape[3] / (clips.rgb.shape[4] * min(_FRAMES, clips.rgb.shape[2]))
    row = max(height * _strips(clips), LINE * (1 + len(_lines(unit, found.speeds[0])))) + _BETWEEN
    page = Page(_HEAD + row * len(found.speeds), _caption(found, unit, clips))
    _draw_head(page, unit, natural, wide)
    for place, speed in enumerate(found.speeds):
        top = _HEAD + place * row
        _write_numbers(page, unit, speed, top)
        for strip, frames in enumerate(_films(clips, place, unit.best(speed))):
            page.film(frames, _WORDS, top + strip * height, wide, height, framed=strip > 0)
        if place < natural:
            _draw_natural(page, unit, clips, place, (_WORDS + wide + _GAP, top, beside, row))
    if clips.flow is not None:
        page.picture(wheel(64), WIDTH - 0.3, 0.02, 0.28, 0.28)
    return page.figure


def _widths(clips: Clips, natural: int) -> tuple[float, float]:
    """Returns the widths of the strips that were made and of those beside them, by frames."""
    room, made = WIDTH - _WORDS - _EDGE, min(_FRAMES, clips.rgb.shape[2])
    largest = _LARGEST * clips.rgb.shape[4] / clips.rgb.shape[3]
    if not natural:
        return min(room, largest * made), 0.0
    beside = min(_BESIDE, clips.natural.shape[1])
    each = min((room - _GAP) / (made + beside), largest)
    return each * made, each * beside


def _strips(clips: Clips) -> int:
    return 1 if clips.flow is None else 3


def _films(clips: Clips, place: int, seed: int) -> list[list[np.ndarray]]:
    """Returns the strips of one speed, each a list of frames."""
    films = [some_frames(clips.rgb[place, seed], _FRAMES)]
    if clips.flow is not None:
        largest, flow = largest_speed(clips.flow), clips.flow[place, seed]
        films += [some_frames(draw(flow, largest), _FRAMES) for draw in (components, directions)]
    return films


def _draw_head(page: Page, unit: Unit, natural: int, wide: float) -> None:
    """Writes what the unit is, its motion need, and what the two columns are."""
    if unit.chosen_as in style.COLORS:
        page.bar(0.02, 0.04, 0.14, style.COLORS[unit.chosen_as])
    title = wrap_name(unit.title, _LETTERS, 1).replace(r"\$", "$")
    page.text(0.1, 0.04, title, weight="bold", color="black", fontsize=9)
    about = [unit.where if unit.name else "", chosen_words(unit)]
    need, (low, high) = unit.motion_need, unit.motion_need_interval
    if math.isfinite(need):
        span = f" [{written(low)}, {written(high)}]" if math.isfinite(low + high) else ""
        about.append(f"motion need {written(need)}{span}")
    if unit.preferred_speed:
        about.append(f"preferred speed: {unit.preferred_speed}")
    page.text(WIDTH - _WHEEL, 0.06, " \N{MIDDLE DOT} ".join(filter(None, about)), ha="right")
    page.text(_WORDS, 0.26, "made for it", color="black")
    if natural:
        page.text(_WORDS + wide + _GAP, 0.26, "clips of the data", color="black")


def _write_numbers(page: Page, unit: Unit, speed: str, top: float) -> None:
    page.text(0.1, top, speed, weight="bold", color="black")
    for line, words in enumerate(_lines(unit, speed), 1):
        page.text(0.1, top + line * LINE, words)


def _lines(unit: Unit, speed: str) -> list[str]:
    """Returns the numbers that are known at any speed, a line each."""
    found = {key: unit.shown(speed, key) for key in _known(unit)}
    if "reversed" in found:
        found["reversed"] = in_its_measure(unit, found["reversed"])
    first = f"{'log-odds' if unit.is_class else 'of natural'} {written(reached(unit, speed))}"
    return [first, *(f"{SAID[key][0]} {written(value)}" for key, value in found.items())]


def _known(unit: Unit) -> list[str]:
    """Returns the numbers beside the first that are known at any speed."""
    speeds = unit.by_speed
    return [x for x in _NUMBERS if any(math.isfinite(unit.shown(speed, x)) for speed in speeds)]


def _draw_natural(
    page: Page, unit: Unit, clips: Clips, place: int, box: tuple[float, float, float, float]
) -> None:
    """Draws a clip of the data beside the row, its ratio below it if that has room."""
    left, top, width, row = box
    frames = some_frames(clips.natural[place], _BESIDE)
    height = width * frames[0].shape[0] / (frames[0].shape[1] * len(frames))
    height = min(height, row - LINE - 0.02)
    page.film(frames, left, top, width, height)
    ratio = natural_reached(unit, place)
    if math.isfinite(ratio):
        page.text(left + width / 2, top + height + 0.015, written(ratio), ha="center")


def _caption(found: Maximised, unit: Unit, clips: Clips) -> Sequence[str]:
    """Returns what the strips and numbers are."""
    words = [f"{seeds_words(found)} Left to right in time."]
    if clips.flow is not None:
        words.append(
            "Below each image its flow: as red (to the right), green (down) and blue (speed); and "
            "as hue (direction, by the wheel) and strength (speed), of one scale."
        )
    said = {**SAID, "reversed": ("backwards", "the same of the clip played backwards")}
    named = "; ".join(f"{said[key][0]}: {said[key][1]}" for key in _known(unit))
    words.append(f"First number: {REACHED}; {named}. frozen: one image repeated.")
    return [*words, *origin_sentence(found)]
