"""A figure on which things are placed in inches from its top left corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from slowfast_bias.visualization.drawing import captions, style

WIDTH = 7.2  # of a page
LINE = 0.115  # of small words


class Page:
    """A figure of one width, whose height is that of its body and of the caption below."""

    def __init__(self, body: float, words: Sequence[str]) -> None:
        self.figure = Figure(figsize=(WIDTH, body))
        lines = captions.write_caption(self.figure, {}, WIDTH, *words)
        self.height = body + lines * style.SMALL * 1.3 / 72 + 0.05
        self.figure.set_size_inches(WIDTH, self.height)

    def axes(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """Returns new axes."""
        bottom = self.height - top - height
        box = (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(box, **options)

    def picture(
        self,
        pixels: np.ndarray,
        left: float,
        top: float,
        width: float,
        height: float,
        framed: bool = False,
    ) -> Axes:
        """Draws a picture that fills a place, with a thin frame if asked to; returns its axes."""
        ax = self.axes(left, top, width, height)
        large = max(pixels.shape[0] / height, pixels.shape[1] / width) > 100  # pixels per inch
        ax.imshow(pixels, aspect="auto", interpolation="antialiased" if large else "nearest")
        ax.set(xticks=[], yticks=[])
        for side in ax.spines.values():
            side.set(visible=framed, color="#BBBBBB", linewidth=0.5)
        return ax

    def film(
        self,
        frames: Sequence[np.ndarray],
        left: float,
        top: float,
        width: float,
        height: float,
        framed: bool = False,
    ) -> None:
        """Draws frames side by side in one place, with thin white lines between."""
        gap = max(1, round(frames[0].shape[1] / 40))
        white = np.full((frames[0].shape[0], gap, 3), 255, np.uint8)
        strip = [part for frame in frames for part in (frame, white)][:-1]
        self.picture(np.concatenate(strip, 1), left, top, width, height, framed)

    def text(self, left: float, top: float, words: str, **look: Any) -> None:
        """Writes words whose top is there; dollars are no formulas."""
        look = {"va": "top", "fontsize": style.SMALL - 0.5, "color": style.GREY, **look}
        at = (left / WIDTH, 1 - top / self.height)
        self.figure.text(*at, words.replace("$", r"\$"), **look)

    def bar(self, left: float, top: float, height: float, color: str) -> None:
        """Draws a thin upright bar, the mark of a kind of unit."""
        at = (left / WIDTH, 1 - (top + height) / self.height)
        size = (0.04 / WIDTH, height / self.height)
        self.figure.add_artist(Rectangle(at, *size, color=color, lw=0))
