"""The y axis of scores: a panel's own, with the line of zero, and never a magnifier of rounding."""

from __future__ import annotations

from matplotlib.axes import Axes

from slowfast_bias.visualization.drawing.style import GREY

_LEAST = 0.1  # the shortest span of scores that an axis shows


def dress_scores(ax: Axes, scores: tuple[str, ...]) -> None:
    """Widens a short y axis, and draws the line of zero; call it after the curves.

    The line is always in view unless the axis shows S_static alone, which has no such zero.
    """
    low, high = ax.get_ylim()
    if scores != ("static",):
        room = 0.05 * (high - low)
        low, high = min(low, -room), max(high, room)
    if high - low < _LEAST:
        middle = (low + high) / 2
        low, high = middle - _LEAST / 2, middle + _LEAST / 2
    ax.set_ylim(low, high)
    draw_zero(ax)


def draw_zero(ax: Axes) -> None:
    """Draws the line of zero if the y axis shows it."""
    low, high = ax.get_ylim()
    if low <= 0 <= high:
        ax.axhline(0, color=GREY, lw=0.7, zorder=0.9, gid="zero")
