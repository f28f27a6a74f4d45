"""What units answer to most, as one figure: a row per unit, a column per speed, then the data.

A cell is the middle frame of a clip and a slice through its time: one row of pixels, downwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import style
from slowfast_bias.visualization.drawing.clip_pictures import busiest_row, time_slice
from slowfast_bias.visualization.drawing.flow_pictures import directions, largest_speed, wheel
from slowfast_bias.visualization.drawing.inches import LINE, WIDTH, Page
from slowfast_bias.visualization.figures.maximised_words import (
    NATURAL,
    REACHED,
    fitting,
    natural_reached,
    origin_sentence,
    reached,
    seeds_words,
    unit_words,
    written,
)
from slowfast_bias.visualization.reading.maximised import Maximised, Unit

_WORDS, _NEED, _GAP, _PAD = 1.12, 0.95, 0.13, 0.06  # inches: of a row, of the need, between
_HEAD, _FOOT, _LARGEST, _TALLEST = 0.3, 0.22, 1.15, 9.0
_SMALLEST, _SPACE = 0.7, 0.03 + LINE + 0.12  # of a cell; of a row beside its pictures
_NEEDS = (-0.5, 1.5)  # of motion, that are drawn in their place
_SLICE = 0.36  # of a cell's width


@dataclass(frozen=True)
class _Layout:
    """The sizes of a cell in inches, and what it holds."""

    speeds: tuple[str, ...]
    natural: bool
    flow: bool
    cell: float
    picture: float
    moves: bool  # whether clips have several frames

    @classmethod
    def of(cls, found: Maximised, unit: Unit) -> _Layout:
        """Returns the layout that the first unit asks for; all have clips of one size."""
        clips = found.clips(unit)
        natural = clips.natural is not None
        columns = len(found.speeds) + natural
        room = (WIDTH - _WORDS - _NEED - _GAP) / columns - _PAD
        height, width = clips.rgb.shape[3:5]
        flow, shape = clips.flow is not None, height / width
        share = (_TALLEST - _HEAD) / len(found.drawn) - _SPACE - 0.03 * flow
        fits = share / (shape * (1 + flow) + _SLICE)  # with which all units fit on a page
        cell = min(room, _LARGEST, max(fits, _SMALLEST))
        return cls(found.speeds, natural, flow, cell, cell * shape, clips.rgb.shape[2] > 1)

    @property
    def slice(self) -> float:
        """The height of a slice."""
        return self.cell * _SLICE * self.moves

    @property
    def row(self) -> float:
        """The height of a row, with its numbers and the space below."""
        pictures = self.picture * (1 + self.flow) + 0.03 * self.flow
        return pictures + self.slice + _SPACE

    def left(self, column: int) -> float:
        """Returns the left end of a column; natural clips stand a little apart."""
        apart = _GAP if column == len(self.speeds) else 0
        return _WORDS + column * (self.cell + _PAD) + apart


@style.styled()
def maximised_figure(found: Maximised) -> Figure:
    """Returns the figure of all units that there are clips of, or of as many as a page holds."""
    if not found.drawn:
        raise RequestError(
            f"Expected units with clips, but {found.path} has none: see why in its `failed`."
        )
    layout = _Layout.of(found, found.drawn[0])
    shown = fitting(found.drawn, max(1, int((_TALLEST - _HEAD) / layout.row)))
    page = Page(_HEAD + layout.row * len(shown) + _FOOT, _caption(found, shown, layout))
    for column, name in enumerate((*layout.speeds, *[NATURAL] * layout.natural)):
        middle = layout.left(column) + layout.cell / 2
        page.text(middle, 0.1, name, ha="center", color="black")
    for place, unit in enumerate(shown):
        _draw_row(page, layout, found, unit, _HEAD + place * layout.row)
    _draw_needs(page, layout, shown)
    if layout.flow:
        page.picture(wheel(64), 0.02, 0.0, 0.26, 0.26)
    return page.figure


def _draw_row(page: Page, layout: _Layout, found: Maximised, unit: Unit, top: float) -> None:
    clips = found.clips(unit)
    if unit.chosen_as in style.COLORS:
        page.bar(0.02, top, layout.row - 0.12, style.COLORS[unit.chosen_as])
    for line, words in enumerate(unit_words(unit)):
        bold = {"weight": "bold", "color": "black"} if line == 0 else {}
        page.text(0.11, top + line * LINE, words, **bold)
    largest = 1.0 if clips.flow is None else largest_speed(clips.flow)
    row = busiest_row(clips.rgb[0, unit.best(layout.speeds[0])])
    for column, speed in enumerate(layout.speeds):
        best = unit.best(speed)
        flow = None if clips.flow is None else directions(clips.flow[column, best], largest)
        _draw_cell(page, layout, column, top, clips.rgb[column, best], row, flow)
        ratio = written(reached(unit, speed))
        bold = {"weight": "bold", "color": "black"} if speed == unit.preferred_speed else {}
        page.text(*_below(layout, column, top), ratio, ha="center", **bold)
    if layout.natural and clips.natural is not None:
        clip = clips.natural[0]
        _draw_cell(page, layout, len(layout.speeds), top, clip, busiest_row(clip), None)
        page.text(
            *_below(layout, len(layout.speeds), top), written(natural_reached(unit, 0)), ha="center"
        )


def _below(layout: _Layout, column: int, top: float) -> tuple[float, float]:
    return layout.left(column) + layout.cell / 2, top + layout.row - LINE - 0.1


def _draw_cell(
    page: Page,
    layout: _Layout,
    column: int,
    top: float,
    clip: np.ndarray,
    row: int,
    flow: np.ndarray | None,
) -> None:
    """Draws the middle frame, its flow if there is one, and below them the slice."""
    left = layout.left(column)
    ax = page.picture(clip[len(clip) // 2], left, top, layout.cell, layout.picture)
    if layout.moves:
        _tick(ax, row, clip.shape[2])
    if flow is not None:
        below = top + layout.picture + 0.03
        page.picture(flow[len(flow) // 2], left, below, layout.cell, layout.picture, framed=True)
    if not layout.moves:
        return
    bottom = top + layout.picture * (1 + layout.flow) + 0.03 * (1 + layout.flow)
    page.picture(time_slice(clip, row), left, bottom, layout.cell, layout.slice)


def _tick(ax: Axes, row: int, width: int) -> None:
    """Marks the row of the slice beside a frame."""
    for end in (-0.5, width - 0.5):
        ax.plot([end], [row], marker="_", ms=3.5, mew=0.9, color="black", clip_on=False)
    ax.set_xlim(-0.5, width - 0.5)


def _draw_needs(page: Page, layout: _Layout, units: Sequence[Unit]) -> None:
    """Draws the motion need of every unit beside its row, with its interval over seeds."""
    left = layout.left(len(layout.speeds) - 1 + layout.natural) + layout.cell + 0.2
    height = layout.row * len(units)
    ax = page.axes(left, _HEAD, WIDTH - left - 0.08, height)
    ax.set(
        xlim=_NEEDS, ylim=(height, 0), yticks=[], xticks=[0, 0.5, 1], xticklabels=["0", ".5", "1"]
    )
    ax.spines["left"].set_visible(False)
    ax.tick_params(labelsize=style.SMALL)
    for x in (0, 0.5, 1):
        ax.axvline(x, color="#E6E6E6", lw=0.6, zorder=0)
    page.text(left + (WIDTH - left - 0.08) / 2, 0.1, "motion need", ha="center", color="black")
    for place, unit in enumerate(units):
        y = place * layout.row + layout.picture / 2
        color = style.COLORS.get(unit.chosen_as, style.COLORS["motion"])
        if all(map(math.isfinite, unit.motion_need_interval)):
            ax.plot(unit.motion_need_interval, [y, y], color=color, lw=1.4)
        if math.isfinite(unit.motion_need):
            at, marker = _inside(unit.motion_need)
            ax.plot([at], [y], marker=marker, color=color, ms=4.5)
        ax.text(
            0.5, y + 0.12, written(unit.motion_need), ha="center", va="top",
            fontsize=style.SMALL - 0.5, color=style.GREY,
        )  # fmt: skip


def _inside(need: float) -> tuple[float, str]:
    """Returns where a motion need is drawn, and its marker: beyond the axis, an arrow."""
    low, high = _NEEDS[0] + 0.08, _NEEDS[1] - 0.08
    return min(max(need, low), high), "<" if need < low else ">" if need > high else "o"


def _caption(found: Maximised, shown: Sequence[Unit], layout: _Layout) -> list[str]:
    """Returns what the pictures are, in sentences."""
    flow, seeds = (" its flow (hue: direction, by the wheel)," if layout.flow else ""), found.seeds
    over = f"; line: 95 % interval over {len(seeds)} seeds" if len(seeds) > 1 else ""
    shown_as = (
        f"The middle frame of a clip,{flow} and below it a slice through time: the marked row of "
        "pixels in all frames, the first on top (upright: still; slanted: moving)."
        if layout.moves
        else f"A frame{',' * bool(flow)}{flow.removesuffix(',')}."
    )
    words = [
        f"{seeds_words(found)} {shown_as} Numbers: {REACHED}; bold: the slowest speed that "
        "does as well as the best. frozen: one image repeated. natural: the clip of the data that "
        "drives it most. Motion need: 0 if "
        f"a frozen clip does as well, 1 if it does no better than the mean clip of the data{over}."
    ]
    if len(shown) < len(found.drawn):
        words.append(f"{len(shown)} of {len(found.drawn)} units.")
    return [*words, *origin_sentence(found)]
