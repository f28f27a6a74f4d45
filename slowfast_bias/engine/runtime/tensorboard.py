"""TensorBoard curves of a run, where TENSORBOARD.ENABLE asks for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import MissingPackageError


class Scalars:
    """Writes numbers under ``OUTPUT_DIR/runs``; silent on other ranks and when switched off."""

    def __init__(self, cfg: CfgNode) -> None:
        self._writer = None
        if not (cfg.TENSORBOARD.ENABLE and ranks.is_master()):
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingPackageError(
                "Expected the package tensorboard, as TENSORBOARD.ENABLE is True, but it is not "
                "installed: `pip install 'slowfast_bias[tensorboard]'`, or set it to False."
            ) from error
        # as SlowFast has it: LOG_DIR lies inside OUTPUT_DIR, unless it is an absolute path
        self._writer = SummaryWriter(
            os.path.join(cfg.OUTPUT_DIR, cfg.TENSORBOARD.LOG_DIR or "runs")
        )

    def write(self, group: str, figures: Mapping[str, Any], step: int) -> None:
        """Adds every number of ``figures`` as ``group/name``."""
        if self._writer is None:
            return
        for name, value in figures.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(f"{group}/{name}", value, step + 1)

    def histogram(self, name: str, values: torch.Tensor, step: int) -> None:
        """Adds the distribution of ``values``, those that are not a number left out."""
        values = values[~values.isnan()]
        if self._writer is not None and len(values):
            self._writer.add_histogram(name, values, step + 1)

    def close(self) -> None:
        """Flushes the file."""
        if self._writer is not None:
            self._writer.close()
