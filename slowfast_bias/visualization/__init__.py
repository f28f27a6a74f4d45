"""Reads reports, never models: figures for a paper or a README, and tables over several reports.

    figure = layer_curves({"SlowOnly": report, "FastOnly": other})
    save_figure(figure, "curves.pdf")

Figures are plain `matplotlib.figure.Figure` objects. pyplot is never imported, and neither the
backend nor the caller's rcParams change. matplotlib is loaded with the first figure: it takes as
long as all else that a process of a run loads beside torch.
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.layer_curves import layer_curves
    from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure
    from slowfast_bias.visualization.figures.panels import design_panels
    from slowfast_bias.visualization.figures.unit_bars import unit_bars
    from slowfast_bias.visualization.figures.unit_scatter import unit_scatter

_HOMES = {
    "comparison_figure": "figures.pages",
    "design_panels": "figures.panels",
    "layer_curves": "figures.layer_curves",
    "report_figure": "figures.pages",
    "save_figure": "drawing.save",
    "unit_bars": "figures.unit_bars",
    "unit_scatter": "figures.unit_scatter",
}

__all__ = [
    "comparison_figure",
    "design_panels",
    "layer_curves",
    "report_figure",
    "save_figure",
    "unit_bars",
    "unit_scatter",
]


def __getattr__(name: str) -> _Any:
    """Returns a figure's function from the file that it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_importlib.import_module(f"slowfast_bias.visualization.{_HOMES[name]}"), name)
