"""Pairs through a tapped network become statistics that merge, and a report. Torch only."""

from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.measure import evaluating, measure_bias
from slowfast_bias.bias.meter import BiasMeter, all_merge
from slowfast_bias.bias.report import BiasReport, rank_units
from slowfast_bias.bias.scores import FACTORS, HEADLINE, KINDS, STATISTICS
from slowfast_bias.bias.stats import PairStats
from slowfast_bias.bias.taps import Tap, rewriting, tapped

__all__ = [
    "FACTORS",
    "HEADLINE",
    "KINDS",
    "STATISTICS",
    "BiasMeter",
    "BiasReport",
    "LayerBias",
    "PairStats",
    "Tap",
    "all_merge",
    "evaluating",
    "measure_bias",
    "rank_units",
    "rewriting",
    "tapped",
]
