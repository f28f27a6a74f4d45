"""Loss, errors and times of one epoch of training, and the lines they become.

What a step found is read when the next one has been asked of the device, so that the host never
waits for a step that it has just begun.
"""

from __future__ import annotations

import functools
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.arriving import Arriving
from slowfast_bias.engine.runtime.log import log_json


class Step(NamedTuple):
    """One iteration, whose numbers may still be on their way.

    Attributes:
        number: counts from 0.
        loss: a tensor's number.
        figures: what gives those of the task.
        clips: numbers of its clips.
        lr: its learning rate.
    """

    number: int
    loss: Arriving
    figures: Callable[[], Any]
    clips: list[int]
    lr: float


class TrainMeter:
    """The running figures of an epoch; `figures` are values of the task that merge.

    Args:
        cfg: the config.
        epoch: counts from 0.
        epochs: of the run.
        steps: of the epoch.
        figures: those of no clips.
        check: is called with a step and its loss before it is counted.
    """

    def __init__(
        self,
        cfg: CfgNode,
        epoch: int,
        epochs: int,
        steps: int,
        figures: Any,
        check: Callable[[Step, float], None],
    ) -> None:
        self.cfg, self.epoch, self.epochs, self.steps = cfg, epoch, epochs, steps
        self.figures, self.clips, self.check = figures, 0, check
        self._unread: tuple[Step, float, float] | None = None  # with its end and the waiting so far
        self.loss_sum, self.waiting = 0.0, 0.0
        self.started = self.last = time.perf_counter()

    def data_came(self) -> None:
        """Marks that the batch is here: the time since the last step was waiting for data."""
        self.waiting += time.perf_counter() - self.last

    def step(self, step: Step) -> None:
        """Adds one iteration; the one before is read."""
        self.read()
        now = time.perf_counter()
        self._unread = step, now - self.last, self.waiting / (now - self.started)
        self.last = now

    def read(self) -> None:
        """Counts the iteration that is not yet, and logs it every LOG_PERIOD."""
        if self._unread is None:
            return
        (step, took, share), self._unread = self._unread, None
        loss, figures = step.loss.tolist(), step.figures()
        self.check(step, loss)
        self.figures = self.figures.merge(figures)
        self.loss_sum += loss * len(step.clips)
        self.clips += len(step.clips)
        if not (step.number + 1) % self.cfg.LOG_PERIOD:
            self._log(step, took, share, loss, figures)

    def _log(self, step: Step, took: float, share: float, loss: float, figures: Any) -> None:
        done = step.number + 1
        per_step = (self.last - self.started) / done
        left = self.steps * (self.epochs - self.epoch) - done
        stats = {
            "_type": "train_iter",
            "epoch": f"{self.epoch + 1}/{self.epochs}",
            "iter": f"{done}/{self.steps}",
            "dt": took,
            "dt_data_share": share,
            "eta_seconds": round(per_step * left),
            "loss": loss,
            "lr": step.lr,
            **figures.compute(),
        }
        log_json(self.cfg.OUTPUT_DIR, stats)

    def state(self) -> dict[str, Any]:
        """Returns the figures so far, and how long they took."""
        self.read()
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
        self.read()
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
