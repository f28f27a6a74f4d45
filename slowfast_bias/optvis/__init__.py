"""Activation maximisation: the input that a unit answers to most, made from noise.

A scene is a list of tensors: one RGB clip (B, 3, T, H, W) in [0, 1], and for networks of two
streams the flow (B, 2, T, H, W) beside it, in units of the full colour of its wheel.

    responder = Responder(model, [Tap("s5")], pack)
    made = maximise(responder, Unit("s5", 12, scale), rows, Canvas(8, 112, 112), Recipe())
    made.scene, made.note

Legend: B rows (speeds x seeds), C channels, T frames, H W space.
"""

from slowfast_bias.optvis.objective import CAP, ClassOdds, Target, Unit, log_odds
from slowfast_bias.optvis.parameterisation import Canvas
from slowfast_bias.optvis.render import Made, Recipe, Row, maximise
from slowfast_bias.optvis.responses import Responder, Response, Scene
from slowfast_bias.optvis.scenes import quantised, reversed_in_time
from slowfast_bias.optvis.speeds import SPEEDS, Speed, speeds_named

__all__ = [
    "CAP",
    "SPEEDS",
    "Canvas",
    "ClassOdds",
    "Made",
    "Recipe",
    "Responder",
    "Response",
    "Row",
    "Scene",
    "Speed",
    "Target",
    "Unit",
    "log_odds",
    "maximise",
    "quantised",
    "reversed_in_time",
    "speeds_named",
]
