"""Loss, errors and times of one epoch of training, and the lines they become."""

from __future__ import annotations

import functools
import resource
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json


class TrainMeter:
    """The running figures of an epoch; `figures` are values of the task that merge."""

    def __init__(self, cfg: CfgNode, epoch: int, epochs: int, steps: int, figures: Any) -> None:
        self.cfg, self.epoch, self.epochs, self.steps = cfg, epoch, epochs, steps
        self.figures, self.clips = figures, 0
        self.loss_sum, self.waiting = 0.0, 0.0
        self.started = self.last = time.perf_counter()

    def data_came(self) -> None:
        """Marks that the batch is here: the time since the last step was waiting for data."""
        self.waiting += time.perf_counter() - self.last

    def step(self, step: int, loss: float, clips: int, figures: Any, lr: float) -> None:
        """Adds one iteration, and logs it every LOG_PERIOD."""
        self.figures = self.figures.merge(figures)
        self.loss_sum += loss * clips
        self.clips += clips
        now = time.perf_counter()
        took, self.last = now - self.last, now
        if (step + 1) % self.cfg.LOG_PERIOD:
            return
        per_step = (now - self.started) / (step + 1)
        left = self.steps * (self.epochs - self.epoch) - step - 1
        stats = {
            "_type": "train_iter",
            "epoch": f"{self.epoch + 1}/{self.epochs}",
            "iter": f"{step + 1}/{self.steps}",
            "dt": took,
            "dt_data_share": self.waiting / (now - self.started),
            "eta_seconds": round(per_step * left),
            "loss": loss,
            "lr": lr,
            **figures.compute(),
        }
        log_json(self.cfg.OUTPUT_DIR, stats)

    def state(self) -> dict[str, Any]:
        """Returns the figures so far, and how long they took."""
        elapsed = time.perf_counter() - self.started
        sums = [self.clips, self.loss_sum, self.waiting, elapsed]
        return {"figures": asdict(self.figures), "sums": sums}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.figures = type(self.figures)(**state["figures"])
        self.clips, self.loss_sum, self.waiting, elapsed = state["sums"]
        self.last = time.perf_counter()
        self.started = self.last - elapsed

    def finish(self, lr: float) -> dict[str, float]:
        """Logs the epoch, over the clips of all processes; returns its figures."""
        figures, losses, clips = zip(
            *ranks.gather_objects((self.figures, self.loss_sum, self.clips)), strict=True
        )
        seconds = time.perf_counter() - self.started
        stats = {
            "_type": "train_epoch",
            "epoch": f"{self.epoch + 1}/{self.epochs}",
            "seconds": seconds,
            "dt_data_share": self.waiting / seconds,
            "loss": sum(losses) / sum(clips),
            "lr": lr,
            **functools.reduce(lambda a, b: a.merge(b), figures).compute(),
            **_memory(),
        }
        log_json(self.cfg.OUTPUT_DIR, stats)
        return stats


def _memory() -> dict[str, float]:
    """Returns the peak memory of this process in GiB."""
    peak = {"RAM_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
    if torch.cuda.is_available():
        peak["gpu_mem_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return peak
