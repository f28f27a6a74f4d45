"""TensorBoard curves of a run, if TENSORBOARD.ENABLE is True."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import MissingPackageError
from slowfast_bias.outputs import Outputs


class Scalars:
    """Writes numbers under `OUTPUT_DIR/runs`; does nothing on other ranks or if switched off."""

    def __init__(self, cfg: CfgNode) -> None:
        self._writer = None
        if not (cfg.TENSORBOARD.ENABLE and ranks.is_master()):
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingPackageError(
                "Expected the package tensorboard, because TENSORBOARD.ENABLE is True, but it is "
                "not installed: `pip install 'slowfast_bias[tensorboard]'`, or set it to False."
            ) from error
        folder = Outputs(cfg.OUTPUT_DIR).tensorboard(cfg.TENSORBOARD.LOG_DIR)
        self._writer = SummaryWriter(folder)

    def write(self, group: str, figures: Mapping[str, Any], step: int) -> None:
        """Adds every number of `figures` as `group/name`."""
        if self._writer is None:
            return
        for name, value in figures.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(f"{group}/{name}", value, step + 1)

    def histogram(self, name: str, values: torch.Tensor, step: int) -> None:
        """Adds the distribution of `values`, (N,); leaves out NaN."""
        values = values[~values.isnan()]
        if self._writer is not None and len(values):
            self._writer.add_histogram(name, values, step + 1)

    def close(self) -> None:
        """Flushes the file."""
        if self._writer is not None:
            self._writer.close()
