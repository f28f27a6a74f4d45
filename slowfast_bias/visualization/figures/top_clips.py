"""Top clips: of some units of a layer, the clips that drive them most and those that do least.

A row is a unit; its clips are strips of a few frames, left to right in time, their values below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from slowfast_bias.bias.origin import origin_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style

Unit = Mapping[str, Any]
Frames = Callable[[str], Sequence[np.ndarray]]  # from the name of a strip to its frames

ENDS = {"most": "drive it most", "least": "drive it least"}
_WIDE = 5  # so many clips of an end have room for three digits
_CLIPS, _CELLS = 8, 9  # of an end: clips, and frames beside each other (one of a clip at least)
_SCORES = {"static": r"$S_\mathrm{static}$", "dynamic": r"$S_\mathrm{dynamic}$"}
_SCORES |= {"motion": "motion-only", "content": "content"}
# inches
_WIDTH, _WORDS, _EDGE = 7.2, 1.24, 0.02  # page, words of a row, margin
_GAP, _PAD = 0.18, 0.05  # between the ends, between clips
_HEAD, _LINE, _BETWEEN = 0.42, 0.112, 0.1  # above the rows, a line of words, between rows
_HIGHEST, _TALLEST = 0.5, 9.4  # of a strip, of all rows


@dataclass(frozen=True)
class _Layout:
    """Where things are, in inches from the top left corner of the page."""

    clips: int  # of an end
    picked: list[int]  # frames of a strip that are drawn
    cell: float  # width of a strip
    picture: float  # its height
    row: float  # height of a row, with the space below it
    page: float  # height of the page

    @classmethod
    def of(cls, content: Mapping[str, Any], units: Sequence[Unit], foot: float) -> _Layout:
        """Returns the layout of these units, with `foot` inches for the caption."""
        clips = min(max(len(unit[end]) for unit in units for end in ENDS), _CLIPS)
        frames, (height, width) = content["frames"], content.get("size") or (1, 1)
        count = min(frames, max(1, _CELLS // clips))
        picked = [(2 * i + 1) * frames // (2 * count) for i in range(count)]
        shape = height / (count * width)
        cell = min((_half() - _PAD * (clips - 1)) / clips, _HIGHEST / shape)
        picture = cell * shape
        words = _LINE * max(len(_lines(unit)) for unit in units)
        row = max(picture + _LINE, words) + _BETWEEN
        return cls(clips, picked, cell, picture, row, _HEAD + row * len(units) + foot)

    def add(self, figure: Figure, end: str, row: int, place: int) -> Any:
        """Returns new axes for a strip."""
        left = _WORDS + (end == "least") * (_half() + _GAP)
        bottom = self.page - _HEAD - row * self.row - self.picture
        box = (left + place * (self.cell + _PAD), bottom, self.cell, self.picture)
        return figure.add_axes([x / y for x, y in zip(box, self.sides * 2, strict=True)])

    @property
    def sides(self) -> tuple[float, float]:
        """Width and height of the page."""
        return _WIDTH, self.page

    def at(self, left: float, top: float) -> tuple[float, float]:
        """Returns a point in shares of the figure."""
        return left / _WIDTH, 1 - top / self.page


@style.styled()
def top_clips_figure(
    content: Mapping[str, Any], frames: Frames, layer: str | None = None
) -> Figure:
    """Returns the figure of the units of one layer.

    Args:
        content: data and meta of a `bias/top_clips.json`.
        frames: reads a strip.
        layer: the layer; the last one if not given.
    """
    units = _units_of(content, layer)
    shown = _fitting(content, units)
    figure = Figure(figsize=(_WIDTH, 1))
    lines = captions.write_caption(figure, {}, _WIDTH, *_caption(content, units, shown))
    page = _Layout.of(content, shown, lines * style.SMALL * 1.3 / 72 + 0.05)
    figure.set_size_inches(page.sides)
    _write_head(figure, page, shown[0]["layer"])
    for row, unit in enumerate(shown):
        _write_words(figure, page, row, unit)
        for end in ENDS:
            for place, clip in enumerate(unit[end][: page.clips]):
                strip = frames(clip["strip"])
                ax = page.add(figure, end, row, place)
                value = _number(clip["value"], ".3g" if page.clips <= _WIDE else ".2g")
                _draw(ax, [strip[k] for k in page.picked], value)
    return figure


def _half() -> float:
    """Returns the width of the clips of one end."""
    return (_WIDTH - _WORDS - _GAP - _EDGE) / 2


def _units_of(content: Mapping[str, Any], layer: str | None) -> list[Unit]:
    """Returns the units of a layer that have clips; RequestError names the layers there are."""
    units = [unit for unit in content["units"] if unit["most"] and unit["least"]]
    layers = list(dict.fromkeys(unit["layer"] for unit in units))
    if not layers:
        raise RequestError("Expected units with clips, but the file has none: measure more videos.")
    if layer is not None and layer not in layers:
        raise RequestError(
            f"Expected a layer with clips, but got {layer!r}: the file has {', '.join(layers)}."
        )
    return [unit for unit in units if unit["layer"] == (layer or layers[-1])]


def _fitting(content: Mapping[str, Any], units: Sequence[Unit]) -> list[Unit]:
    """Returns the units that a page has room for: the first ones of every kind."""
    room = max(1, int((_TALLEST - _HEAD) / _Layout.of(content, units, 0).row))
    kinds = [unit["kind"] for unit in units]
    places = [kinds[:i].count(kind) for i, kind in enumerate(kinds)]
    first = sorted(range(len(units)), key=lambda i: (places[i], i))[:room]
    return [units[i] for i in sorted(first)]


def _draw(ax: Any, frames: Sequence[np.ndarray], value: str) -> None:
    """Draws the frames of a strip side by side, its value below."""
    ax.imshow(np.concatenate(frames, axis=1), aspect="auto", interpolation="nearest")
    for i in range(1, len(frames)):
        ax.axvline(i * frames[0].shape[1] - 0.5, color="white", lw=0.6)
    ax.set_axis_off()
    ax.annotate(
        value, (0.5, 0), xytext=(0, -1.5), xycoords="axes fraction",
        textcoords="offset points", ha="center", va="top", fontsize=style.SMALL - 1,
        color=style.GREY,
    )  # fmt: skip


def _write_head(figure: Figure, page: _Layout, layer: str) -> None:
    """Writes the layer, and above its clips what each end is."""
    figure.text(*page.at(0.02, 0.2), layer, fontsize=9, weight="bold", va="center")
    for place, text in enumerate(ENDS.values()):
        left = _WORDS + place * (_half() + _GAP)
        figure.text(*page.at(left, 0.2), text, va="center")
        (x, y), (end, _) = page.at(left, 0.33), page.at(left + _half(), 0.33)
        figure.add_artist(Line2D([x, end], [y, y], color="#BBBBBB", lw=0.6))


def _write_words(figure: Figure, page: _Layout, row: int, unit: Unit) -> None:
    """Writes unit, kind and scores beside its clips, and a bar in the colour of the kind."""
    top = _HEAD + row * page.row
    x, y = page.at(0.02, top + page.row - _BETWEEN)
    size = (0.04 / _WIDTH, (page.row - _BETWEEN) / page.page)
    figure.add_artist(Rectangle((x, y), *size, color=style.COLORS[unit["kind"]], lw=0))
    for place, text in enumerate(_lines(unit)):
        bold = {"weight": "bold", "color": "black"} if place == 0 else {"color": style.GREY}
        at = page.at(0.11, top + place * _LINE)
        figure.text(*at, text, va="top", fontsize=style.SMALL - 0.5, **bold)


def _lines(unit: Unit) -> list[str]:
    """Returns the words of a row, line by line."""
    lines = [f"unit {unit['unit']}: {unit['kind']}"]
    for name, score in unit["scores"].items():
        if score is not None:
            lines.append(f"{_SCORES.get(name, name)} {_number(score, '.2f')}")
    return lines + [f"for {_class(best)}" for best in unit.get("classes", [])[:1]]


def _class(entry: Mapping[str, Any]) -> str:
    """Returns the name of a class, as plain text, or its number."""
    name = entry.get("name") or f"class {entry.get('class')}"
    return captions.wrap_name(name, 20, 1)


def _number(value: float, form: str) -> str:
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}")


def _caption(content: Mapping[str, Any], units: Sequence[Unit], shown: Sequence[Unit]) -> list[str]:
    words = [
        "Clips with the largest and the smallest pooled values of each unit (below them), as they "
        f"were shown (view: {content.get('view', '')}), left to right in time. Equal values are in "
        "the order of the list."
    ]
    if len(shown) < len(units):
        words.append(f"{len(shown)} of {len(units)} units.")
    origin = origin_words([content["meta"]])
    return [*words, f"{origin[0].upper()}{origin[1:]}."] if origin else words
