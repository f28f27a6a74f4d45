"""Reads reports, never models: figures for a paper or a README, and tables over several reports.

    figure = layer_curves({"SlowOnly": report, "FastOnly": other})
    save_figure(figure, "curves.pdf")

Figures are plain ``matplotlib.figure.Figure`` objects. pyplot is never imported, and neither the
backend nor the caller's rcParams change.
"""

from slowfast_bias.visualization.curves import layer_curves
from slowfast_bias.visualization.figures import comparison_figure, report_figure
from slowfast_bias.visualization.save import save_figure
from slowfast_bias.visualization.scatter import unit_scatter
from slowfast_bias.visualization.units import unit_bars

__all__ = [
    "comparison_figure",
    "layer_curves",
    "report_figure",
    "save_figure",
    "unit_bars",
    "unit_scatter",
]
