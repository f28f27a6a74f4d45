"""Reads reports, never models: figures for a paper or a README, and tables over several reports.

    figure = layer_curves({"SlowOnly": report, "FastOnly": other})
    save_figure(figure, "curves.pdf")

Figures are plain `matplotlib.figure.Figure` objects. pyplot is never imported, and neither the
backend nor the caller's rcParams change.
"""

from slowfast_bias.visualization.drawing.save import save_figure
from slowfast_bias.visualization.figures.layer_curves import layer_curves
from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure
from slowfast_bias.visualization.figures.panels import design_panels
from slowfast_bias.visualization.figures.unit_bars import unit_bars
from slowfast_bias.visualization.figures.unit_scatter import unit_scatter

__all__ = [
    "comparison_figure",
    "design_panels",
    "layer_curves",
    "report_figure",
    "save_figure",
    "unit_bars",
    "unit_scatter",
]
