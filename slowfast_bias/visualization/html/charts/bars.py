"""Accuracies as dots with their intervals, each a thin picture that fills a cell of a table."""

from __future__ import annotations

import math

from markupsafe import Markup

from slowfast_bias.visualization.html.charts.svg import element


def accuracy_bar(value: float, low: float, high: float, chance: float | None = None) -> Markup:
    """Returns a line from 0 to 100 percent with a dot and its interval; the number is beside it."""
    parts = [
        element("path", d="M0 6H100", class_="guide"),
        element("path", d="M50 3V9", class_="guide"),
    ]
    if chance is not None:
        parts.append(element("path", d=f"M{chance:.1f} 0V12", class_="level"))
    if math.isfinite(low) and math.isfinite(high):
        parts.append(element("path", d=f"M{low:.1f} 6H{max(high, low + 0.01):.2f}", class_="reach"))
    if math.isfinite(value):
        parts.append(element("path", d=f"M{value:.1f} 6h0.01", class_="dot"))
    return element(
        "svg",
        *parts,
        viewBox="0 0 100 12",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="accuracy",
    )
