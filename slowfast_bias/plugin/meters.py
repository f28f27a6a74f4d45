"""Meters that measure bias in SlowFast's loop, in the place of its ValMeter and TestMeter.

SlowFast has no registry of meters: its tools import them by name, so the names are replaced, before
the tools are imported. With BIAS.ENABLE False they are their parents.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime.log import write_as_slowfast
from slowfast_bias.errors import PluginError
from slowfast_bias.plugin.config_keys import check
from slowfast_bias.plugin.current_model import current, wrap_build_model
from slowfast_bias.plugin.measurements import FinalMeasurement, Measurements

_METHODS = {"ValMeter": "log_epoch_stats", "TestMeter": "finalize_metrics"}


class MeasuresEpochs:
    """Stands before SlowFast's ValMeter: measures after epochs that were evaluated."""

    measurements: Measurements | None = None

    def __init__(self, max_iter: int, cfg: CfgNode) -> None:
        super().__init__(max_iter, cfg)  # type: ignore[call-arg]
        if cfg.BIAS.ENABLE:
            self.measurements = Measurements(cfg, current().model)

    def log_epoch_stats(self, cur_epoch: int) -> None:
        """Logs what the parent logs, then measures if that is due."""
        super().log_epoch_stats(cur_epoch)  # type: ignore[misc]
        if self.measurements is not None:
            self.measurements.after_evaluation(cur_epoch)


class MeasuresTested:
    """Stands before SlowFast's TestMeter: writes the final report of the network that was tested.

    It is given no config: that of the network that was built last is the test's.
    """

    measurement: FinalMeasurement | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model, cfg = current()
        if cfg.BIAS.ENABLE and is_first_test(cfg):
            self.measurement = FinalMeasurement(cfg, model)

    def finalize_metrics(self, *args: Any, **kwargs: Any) -> None:
        """Computes what the parent computes, then measures."""
        super().finalize_metrics(*args, **kwargs)  # type: ignore[misc]
        if self.measurement is not None:
            self.measurement.measure()


def is_first_test(cfg: CfgNode) -> bool:
    """Returns whether a test is the first of those that TEST.NUM_TEMPORAL_CLIPS lists."""
    clips = list(cfg.TEST.NUM_TEMPORAL_CLIPS)
    return not clips or clips[0] == cfg.TEST.NUM_ENSEMBLE_VIEWS


def replace_meters() -> None:
    """Puts BiasValMeter and BiasTestMeter in the place of SlowFast's meters, once."""
    import slowfast.models
    import slowfast.models.build
    import slowfast.utils.meters as meters

    for name, before in METERS.items():
        replace_meter(meters, name, before)
    wrap_build_model(slowfast.models, slowfast.models.build, check)
    write_as_slowfast()


METERS = {"ValMeter": MeasuresEpochs, "TestMeter": MeasuresTested}


def replace_meter(meters: ModuleType, name: str, before: type) -> None:
    """Puts a subclass, with `before` in front of it, in the place of one of SlowFast's meters.

    Raises PluginError if it is another class than SlowFast's, or if the tools have it already.
    """
    parent = _meter(meters, name)
    if issubclass(parent, before):
        return
    holders = [m for m, held in _holding(name) if held is parent and m != meters.__name__]
    if holders:
        raise PluginError(
            f"Expected slowfast_bias.plugin to be imported before SlowFast's tools, but "
            f"{', '.join(holders)} has its {name} already. Import it in the first line of the "
            "script that you start, or start that with `python -m slowfast_bias.plugin SCRIPT`."
        )
    members = {"__module__": __name__, "__doc__": parent.__doc__}
    setattr(meters, name, type(f"Bias{name}", (before, parent), members))


def _meter(meters: ModuleType, name: str) -> type:
    """Returns a meter of SlowFast; PluginError if a fork has another one."""
    found = getattr(meters, name, None)
    if isinstance(found, type) and callable(getattr(found, _METHODS[name], None)):
        return found
    raise PluginError(
        f"Expected {meters.__file__} to have a class {name} with {_METHODS[name]}(), as SlowFast's "
        f"main branch has, but got {found!r}. Measure with our own command instead: `python -m "
        "slowfast_bias --cfg FILE.yaml`."
    )


def _holding(name: str) -> list[tuple[str, Any]]:
    """Returns the modules that have a name of this kind, and what it is there."""
    loaded = list(sys.modules.items())
    return [(key, vars(m)[name]) for key, m in loaded if hasattr(m, "__dict__") and name in vars(m)]
