"""Figures without words and layout, in few pixels, where how they look is not the subject."""

from __future__ import annotations

from typing import Any

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

_whole = Figure.savefig


def save_draft(figure: Figure, *where: Any, **how: Any) -> None:
    """Saves a figure as `Figure.savefig` does, in a tenth of the time."""
    figure.set_layout_engine("none")
    for part in figure.findobj(lambda artist: isinstance(artist, (Axis, Text))):
        part.set_visible(False)
    _whole(figure, *where, **{**how, "dpi": 40})
