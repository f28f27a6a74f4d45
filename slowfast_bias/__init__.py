"""slowfast_bias: how much of a video network answers to looks, and how much to motion.

Importing this package needs torch, fvcore and iopath, and loads no SlowFast; `slowfast_bias.engine`
(train, test and measure by config) and `slowfast_bias.host` do, when they are used.
"""

import dataclasses as _dataclasses
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from slowfast_bias import host as _host
from slowfast_bias.bias import BiasMeter, BiasReport, PairStats, Tap, measure_bias, rank_units
from slowfast_bias.bias import report_views as _report_views
from slowfast_bias.config import add_bias_config
from slowfast_bias.models import families as _families
from slowfast_bias.models.silencing import silenced
from slowfast_bias.models.static_dropout import StaticDropout, attach_static_dropout

if _TYPE_CHECKING:
    from slowfast_bias.direct import make_pairs, measure

__version__ = "0.1.0"

__all__ = [
    "BiasMeter",
    "BiasReport",
    "PairStats",
    "StaticDropout",
    "Tap",
    "add_bias_config",
    "attach_static_dropout",
    "make_pairs",
    "measure",
    "measure_bias",
    "rank_units",
    "silenced",
]

# Two names of the host's facade that come from the kinds of networks, a floor above it.
_host.layers = lambda model: [
    _dataclasses.asdict(tap) for tap in _families.family_of(model).layers(model)
]
_host.head = _families.classifier_of
# And networks of this project's own, for a host that lacks their kind.
_host.add_networks(family.own for family in _families.FAMILIES if family.own is not None)


def _figure(report: BiasReport, kind: str, **options: _Any) -> _Any:
    """Returns a figure of a report; matplotlib is loaded when there is one to draw."""
    from slowfast_bias.visualization.notebook import report_plot

    return report_plot(report, kind, **options)


def _html(report: BiasReport) -> str:
    """Returns what a notebook shows of a report."""
    from slowfast_bias.visualization.notebook import report_html

    return report_html(report)


# How reports are drawn, from a floor above them.
_report_views.figure, _report_views.html = _figure, _html


def __getattr__(name: str) -> _Any:
    """Returns what is loaded when it is first used: the data sets need OpenCV."""
    if name in ("make_pairs", "measure"):
        from slowfast_bias import direct

        return getattr(direct, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
