"""Running figures of a pass over the data, and the lines they become.

Errors are percentages of clips, as in SlowFast's log. "Top 5" of fewer than five classes counts all
of them.
"""

from __future__ import annotations

import resource
import time

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json


def count_hits(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(3,) clips, clips whose label is the best, clips whose label is among the best five."""
    best = scores.topk(min(5, scores.shape[1]), dim=1).indices.eq(labels.view(-1, 1))
    hits = [best[:, :1].any(dim=1).sum(), best.any(dim=1).sum()]
    total = torch.tensor(len(labels), device=scores.device)
    return torch.stack([total, *hits]).double()


def errors(hits: torch.Tensor) -> dict[str, float]:
    """Top-1 and top-5 error in percent from `count_hits` sums."""
    clips, one, five = hits.tolist()
    if not clips:
        return {"top1_err": float("nan"), "top5_err": float("nan")}
    return {"top1_err": 100 * (1 - one / clips), "top5_err": 100 * (1 - five / clips)}


class TrainMeter:
    """Loss, errors and times of one epoch of training."""

    def __init__(self, cfg: CfgNode, epoch: int, epochs: int, steps: int) -> None:
        self.cfg, self.epoch, self.epochs, self.steps = cfg, epoch, epochs, steps
        self.hits = torch.zeros(3, dtype=torch.float64)
        self.loss_sum, self.waiting = 0.0, 0.0
        self.started = self.last = time.perf_counter()

    def data_came(self) -> None:
        """Marks that the batch is here: what went by since the last step was waiting for data."""
        self.waiting += time.perf_counter() - self.last

    def step(self, step: int, loss: float, hits: torch.Tensor, lr: float) -> None:
        """Adds one iteration, and logs it every LOG_PERIOD."""
        self.hits += hits
        self.loss_sum += loss * float(hits[0])
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
            **errors(hits),
        }
        log_json(self.cfg.OUTPUT_DIR, stats)

    def finish(self, lr: float) -> dict[str, float]:
        """Logs the epoch, over the clips of all processes; returns its figures."""
        sums = torch.cat([self.hits, torch.tensor([self.loss_sum], dtype=torch.float64)])
        sums = sums.to(ranks.device_of(self.cfg))
        ranks.sum_over_processes(sums)
        seconds = time.perf_counter() - self.started
        stats = {
            "_type": "train_epoch",
            "epoch": f"{self.epoch + 1}/{self.epochs}",
            "seconds": seconds,
            "dt_data_share": self.waiting / seconds,
            "loss": float(sums[3] / sums[0]),
            "lr": lr,
            **errors(sums[:3].cpu()),
            **_memory(),
        }
        log_json(self.cfg.OUTPUT_DIR, stats)
        return stats


def _memory() -> dict[str, float]:
    """Peak memory of this process in GiB."""
    peak = {"RAM_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
    if torch.cuda.is_available():
        peak["gpu_mem_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return peak
