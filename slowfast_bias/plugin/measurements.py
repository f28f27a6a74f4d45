"""The measurements of a run in SlowFast's loop: after epochs, and of what it ends with.

They read clips of their own: every video once over all processes, none in the place of another, as
in our own command. A final report is written after the test, or after the last epoch of a run
without one.
"""

from __future__ import annotations

import functools

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.measuring.measurement import measure_trained
from slowfast_bias.engine.measuring.showing import PASS
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.tensorboard import Scalars
from slowfast_bias.engine.setup.bookmark import clear
from slowfast_bias.engine.setup.network import Trained, load_trained
from slowfast_bias.engine.setup.provenance import write_config
from slowfast_bias.engine.training.periodic_measurement import PeriodicMeasurement
from slowfast_bias.outputs import Outputs
from slowfast_bias.plugin.own_config import check_measurement, own_config


class Measurements:
    """Those of a training; everything that can be wrong with them is raised when this is made."""

    def __init__(self, cfg: CfgNode, model: nn.Module) -> None:
        self.cfg, self.model = own_config(cfg), model
        check_measurement(self.cfg, model)
        self.outputs = Outputs(cfg.OUTPUT_DIR)
        self.scalars = Scalars(self.cfg)
        self.periodic = PeriodicMeasurement(self.cfg, self.scalars)
        ranks.all_or_none(functools.partial(_write_config, self.cfg, self.outputs.config))

    def after_evaluation(self, epoch: int) -> None:
        """Measures after an epoch (0-based) that SlowFast has evaluated, if BIAS.PERIOD says so.

        A run that has nothing left to train evaluates an epoch beyond its last one.
        """
        epochs = self.cfg.SOLVER.MAX_EPOCH
        last, report = epoch + 1 >= epochs, None
        if epoch < epochs or not self._is_measured(epochs):
            report = self.periodic.after_epoch(self.model, min(epoch, epochs - 1), epochs)
        if not last:
            return
        self.periodic.finish()
        if not self.cfg.TEST.ENABLE:
            _measure(self.cfg, Trained(self.model, self.outputs.checkpoint(epochs)), report)
        self.scalars.close()

    def _is_measured(self, epoch: int) -> bool:
        return ranks.from_master(g_pathmgr.isfile(self.outputs.epoch_report(epoch)))


class FinalMeasurement:
    """That of a network which SlowFast tests.

    SlowFast loads what fits of a file, and tests random weights if there is none. So the file is
    read again here: weights that do not all fit are an error before the test begins.
    """

    def __init__(self, cfg: CfgNode, model: nn.Module) -> None:
        self.cfg = own_config(cfg)
        check_measurement(self.cfg, model)
        self.trained = Trained.of(model, *load_trained(self.cfg, model))

    def measure(self) -> None:
        """Writes `bias/report.*` into OUTPUT_DIR."""
        _measure(self.cfg, self.trained)


def _measure(cfg: CfgNode, trained: Trained, known: BiasReport | None = None) -> None:
    measure_trained(cfg, trained, known)
    if ranks.is_master():
        clear(cfg.OUTPUT_DIR, PASS)


def _write_config(cfg: CfgNode, path: str) -> None:
    if ranks.is_master():
        write_config(cfg, path)
