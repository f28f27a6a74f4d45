"""Bias while a network learns: the whole measurement every few epochs, inside training.

A measurement that fails never ends the training: it is logged, counted, and training goes on.
"""

from __future__ import annotations

import logging

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.showing import PASS
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.runtime.tensorboard import Scalars
from slowfast_bias.engine.setup.bookmark import clear
from slowfast_bias.engine.setup.unreadable_videos import record
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


class PeriodicMeasurement:
    """Measures every BIAS.PERIOD epochs and after the last, if BIAS.ENABLE is on."""

    def __init__(self, cfg: CfgNode, scalars: Scalars) -> None:
        self.cfg, self.scalars = cfg, scalars
        self.outputs = Outputs(cfg.OUTPUT_DIR)
        self.period = cfg.BIAS.PERIOD if cfg.BIAS.ENABLE else 0
        self.failed = 0

    def after_epoch(self, model: nn.Module, epoch: int, epochs: int) -> BiasReport | None:
        """Returns the report of this epoch (0-based); None if none is due or it failed."""
        if not self.period or ((epoch + 1) % self.period and epoch + 1 != epochs):
            return None
        try:
            about = {"epoch": epoch + 1}
            networks = {"trained": model}
            reports = measure_networks(self.cfg, networks, self.outputs.config, about)
        except Exception as error:  # whatever it is, hours of training are worth more
            self._count_failure("measurement", epoch, error)
            return None
        try:
            self._write(reports["trained"], epoch, epochs)
        except Exception as error:  # of one process: all go on with the report that they have
            self._count_failure("report", epoch, error)
        return reports["trained"]

    def lacks(self, epoch: int) -> bool:
        """Returns whether there is no report of an epoch (counted from 1); the same everywhere."""
        return not ranks.from_master(g_pathmgr.isfile(self.outputs.epoch_report(epoch)))

    def _count_failure(self, what: str, epoch: int, error: Exception) -> None:
        self.failed += 1
        log.warning(
            "the %s after epoch %d failed (%d so far) and is left out: %s: %s",
            what, epoch + 1, self.failed, type(error).__name__, error,
        )  # fmt: skip

    def finish(self) -> None:
        """Draws bias over the epochs measured so far, those before a resume included."""
        if not (self.period and ranks.is_master()):
            return
        from slowfast_bias.visualization.drawing.save import save_figure
        from slowfast_bias.visualization.figures.epochs import epoch_curves
        from slowfast_bias.visualization.reading.epoch_files import read_epochs

        try:
            figure = epoch_curves(read_epochs(self.cfg.OUTPUT_DIR))
            save_figure(figure, self.outputs.over_epochs)
        except Exception as error:  # every measurement may have failed
            log.warning("bias over the epochs cannot be drawn: %s", error)

    def _write(self, report: BiasReport, epoch: int, epochs: int) -> None:
        if not ranks.is_master():
            return
        record(self.cfg, report.meta)
        g_pathmgr.mkdirs(self.outputs.bias)
        path = self.outputs.epoch_report(epoch + 1)
        report.save(path)
        clear(self.cfg.OUTPUT_DIR, PASS)
        log.info("epoch %d/%d  measured: %s", epoch + 1, epochs, path)
        for name, layer in report.layers.items():
            line = {"_type": "bias_epoch", "epoch": f"{epoch + 1}/{epochs}", "layer": name}
            figures = layer.figures()
            log_json(self.cfg.OUTPUT_DIR, {**line, **figures})
            self.scalars.write(f"Bias/{name}", figures, epoch)
            for score in layer.measured:
                values = layer.unit_scores(score)
                self.scalars.histogram(f"Units/{name}/{score}", values, epoch)
