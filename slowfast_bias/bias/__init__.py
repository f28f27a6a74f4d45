"""Pairs through a tapped network become statistics that merge, and a report. Torch only."""

from .measure import evaluating, measure_bias
from .meter import BiasMeter, all_merge
from .report import BiasReport, LayerBias, rank_units
from .scores import FACTORS, KINDS, STATISTICS
from .stats import PairStats
from .taps import Tap, rewriting, tapped

__all__ = [
    "FACTORS",
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
