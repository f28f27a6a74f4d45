"""Two classes that a network takes for each other, their clips side by side at every speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import style
from slowfast_bias.visualization.drawing.clip_pictures import some_frames
from slowfast_bias.visualization.drawing.flow_pictures import directions, largest_speed, wheel
from slowfast_bias.visualization.drawing.inches import LINE, WIDTH, Page
from slowfast_bias.visualization.figures.maximised_words import (
    NATURAL,
    REACHED,
    natural_reached,
    origin_sentence,
    reached,
    seeds_words,
    written,
)
from slowfast_bias.visualization.reading.maximised import Clips, Maximised, Unit

_WORDS, _GAP, _EDGE, _HEAD, _BETWEEN, _APART = 0.95, 0.2, 0.02, 0.3, 0.06, 0.16  # inches
_FRAMES, _TALLEST = 5, 9.0


@style.styled()
def confusion_figure(found: Maximised, pairs: Sequence[tuple[Unit, Unit]] | None = None) -> Figure:
    """Returns the figure of such pairs, or of as many as a page holds.

    Args:
        found: what a file holds.
        pairs: of its units; those of the file if not given.
    """
    taken = pairs is None  # by the test, one class for the other
    pairs = found.confusions if pairs is None else pairs
    if not pairs:
        raise RequestError(
            f"Expected pairs of classes with clips, but {found.path} has none: name two units."
        )
    clips = found.clips(pairs[0][0])
    wide = (WIDTH - _WORDS - _GAP - _EDGE) / 2
    frames = min(_FRAMES, clips.rgb.shape[2])
    high = wide * clips.rgb.shape[3] / (clips.rgb.shape[4] * frames)
    tall = _HEAD + sum(_height(clips, x, high) for x in _rows(found, clips)) + _APART
    shown = pairs[: max(1, int(_TALLEST / tall))]
    page = Page(tall * len(shown), _caption(found, shown, pairs, taken))
    if clips.flow is not None:
        page.picture(wheel(64), 0.02, 0.0, 0.26, 0.26)
    for place, pair in enumerate(shown):
        for side, unit in enumerate(pair):
            left = _WORDS + side * (wide + _GAP)
            _draw_side(page, found, unit, (left, place * tall, wide, high), side == 0)
    return page.figure


def _rows(found: Maximised, clips: Clips) -> list[str]:
    """Returns the speeds, and what the data have if there is something."""
    return [*found.speeds, *([] if clips.natural is None else [NATURAL])]


def _height(clips: Clips, name: str, high: float) -> float:
    """Returns the height of a row with the space below; clips of the data have no flow."""
    return high * (1 if clips.flow is None or name == NATURAL else 2) + _BETWEEN


def _draw_side(
    page: Page, found: Maximised, unit: Unit, box: tuple[float, float, float, float], words: bool
) -> None:
    """Draws the clips of one class below each other, and on the left side what the rows are."""
    left, top, wide, high = box
    clips = found.clips(unit)
    page.text(left, top + 0.1, unit.title, weight="bold", color="black", fontsize=style.TEXT)
    at = top + _HEAD
    for name in _rows(found, clips):
        if words:
            page.text(0.02, at, name, weight="bold", color="black")
        for strip, frames in enumerate(_films(found, unit, clips, name)):
            page.film(frames, left, at + strip * high, wide, high, framed=strip > 0)
        page.text(0.02, at + LINE * (1 if words else 2), _number(unit, name, words))
        at += _height(clips, name, high)


def _films(found: Maximised, unit: Unit, clips: Clips, name: str) -> list[list[np.ndarray]]:
    if name == NATURAL:
        return [] if clips.natural is None else [some_frames(clips.natural[0], _FRAMES)]
    place, seed = found.speeds.index(name), unit.best(name)
    films = [some_frames(clips.rgb[place, seed], _FRAMES)]
    if clips.flow is not None:
        flow = directions(clips.flow[place, seed], largest_speed(clips.flow))
        films.append(some_frames(flow, _FRAMES))
    return films


def _number(unit: Unit, name: str, is_left: bool) -> str:
    """Returns the ratio of a clip, and of which side it is."""
    ratio = natural_reached(unit, 0) if name == NATURAL else reached(unit, name)
    return f"{'left' if is_left else 'right'} {written(ratio)}"


def _caption(
    found: Maximised,
    shown: Sequence[tuple[Unit, Unit]],
    pairs: Sequence[tuple[Unit, Unit]],
    taken: bool,
) -> list[str]:
    words = [
        f"{'Classes that the test takes for each other. ' if taken else ''}"
        f"{seeds_words(found)} Left to right in time; numbers: {REACHED}. "
        "natural: the clip of the data that drives the class most."
    ]
    if len(shown) < len(pairs):
        words.append(f"{len(shown)} of {len(pairs)} pairs.")
    return [*words, *origin_sentence(found)]
