"""How a report is drawn, and shown in a notebook: functions that the package puts here.

Drawing is a floor above this one (`slowfast_bias.visualization`) and loads matplotlib, so it is
imported when a report is first drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

figure: Callable[..., Any]  # (report, kind, options) -> matplotlib.figure.Figure
html: Callable[..., str]  # (report) -> what a notebook shows
