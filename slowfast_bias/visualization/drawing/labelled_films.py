"""Clips that play side by side under their labels, as the frames of one moving picture."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from slowfast_bias.visualization.drawing.clip_pictures import enlarged

_CELL, _GAP, _TITLE, _LABEL = 144, 8, 24, 18  # pixels
_TEXT, _SMALL = 13, 11  # pixels


class Column(NamedTuple):
    """What plays below one label: clips below each other, uint8 (T, H, W, 3)."""

    label: str
    clips: Sequence[np.ndarray]


def labelled_films(title: str, columns: Sequence[Column]) -> list[np.ndarray]:
    """Returns the frames, uint8 (H, W, 3); a clip that is shorter begins again."""
    scaled = [[enlarged(clip, _CELL) for clip in column.clips] for column in columns]
    rows = max(map(len, scaled))
    high = max(clip.shape[1] for column in scaled for clip in column)
    size = (len(columns) * (_CELL + _GAP) + _GAP, _TITLE + _LABEL + rows * (high + _GAP))
    ground = _ground(title, [column.label for column in columns], size)
    frames = []
    for t in range(max(len(clip) for column in scaled for clip in column)):
        frame = ground.copy()
        for place, column in enumerate(scaled):
            for row, clip in enumerate(column):
                x = _GAP + place * (_CELL + _GAP) + (_CELL - clip.shape[2]) // 2
                y = _TITLE + _LABEL + row * (high + _GAP)
                frame[y : y + clip.shape[1], x : x + clip.shape[2]] = clip[t % len(clip)]
        frames.append(frame)
    return frames


def _ground(title: str, labels: Sequence[str], size: tuple[int, int]) -> np.ndarray:
    """Returns a white picture with title and labels."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    draw.text((_GAP, 5), _cut(title, size[0], _TEXT), fill="black", font=_font(_TEXT))
    for place, label in enumerate(labels):
        middle = _GAP + place * (_CELL + _GAP) + _CELL // 2
        text = _cut(label, _CELL, _SMALL)
        draw.text((middle, _TITLE + 1), text, fill="#555555", font=_font(_SMALL), anchor="ma")
    return np.asarray(picture)


def _cut(text: str, width: int, size: int) -> str:
    """Returns a text that is no wider than so many pixels; its end is cut off."""
    while text and _font(size).getlength(text) > width:
        text = f"{text[:-2]}…"
    return text


@functools.lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Returns the font of all figures, which matplotlib brings."""
    folder = os.path.join(matplotlib.get_data_path(), "fonts", "ttf")
    return ImageFont.truetype(os.path.join(folder, "DejaVuSans.ttf"), size)
