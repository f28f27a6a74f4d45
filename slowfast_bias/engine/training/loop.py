"""The training loop, on the host's networks, optimizers, schedules, losses and checkpoint format.

Reads from top to bottom. Every epoch is seeded by (RNG_SEED, epoch, rank), so a run that was killed
and started again continues exactly as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.datasets.loader import Batch, Loader, fold
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress, set_up_logging
from slowfast_bias.engine.runtime.tensorboard import Scalars
from slowfast_bias.engine.setup import checkpoint, network, unreadable_videos
from slowfast_bias.engine.setup.loaders import build_loader, inputs_of, shuffle_frames
from slowfast_bias.engine.training import batchnorm
from slowfast_bias.engine.training.meters import TrainMeter, count_hits, errors
from slowfast_bias.engine.training.periodic_measurement import Watch
from slowfast_bias.engine.training.static_dropout import Debiasing
from slowfast_bias.errors import DataError, NotFiniteError
from slowfast_bias.files import write_whole
from slowfast_bias.models.weights.fit import load_optimizer, load_weights

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """What a training run ended with."""

    epochs: int
    train: dict[str, Any] | None  # figures of the last epoch; None where nothing was left to do
    val: dict[str, Any] | None  # figures of the last validation
    checkpoint: str
    failed_measurements: int = 0  # of those that BIAS.PERIOD asked for


def train(cfg: CfgNode) -> TrainResult:
    """Trains in this process (one rank of the group, if there is one)."""
    set_up_logging(cfg.OUTPUT_DIR)
    _write_config(cfg)
    model = network.build_network(cfg)
    debias = Debiasing(cfg, model)  # before the network is wrapped for several processes
    device = next(model.parameters()).device
    optimizer = host.construct_optimizer(model, cfg)
    scaler = torch.amp.GradScaler(
        device.type, enabled=cfg.TRAIN.MIXED_PRECISION and device.type == "cuda"
    )
    first = _start(cfg, model, optimizer, scaler, debias)
    wrapped = network.across_processes(model)
    train_loader, val_loader = build_loader(cfg, "train"), build_loader(cfg, "val")
    scalars = Scalars(cfg)
    watch, epochs = Watch(cfg, scalars), debias.epochs
    log.info("epochs %d to %d on %s", first + 1, epochs, device)

    trained, val, best = None, None, math.inf
    path = checkpoint.checkpoint_path(cfg.OUTPUT_DIR, first)
    for epoch in range(first, epochs):
        network.seed_all(cfg.RNG_SEED, epoch, ranks.rank())
        train_loader.set_epoch(epoch)
        debias.begin_epoch(epoch)
        trained = train_epoch(cfg, wrapped, optimizer, scaler, train_loader, epoch, debias)
        scalars.write("Train", trained, epoch)
        evaluates = _due(epoch, cfg.TRAIN.EVAL_PERIOD, epochs)
        saves = _due(epoch, cfg.TRAIN.CHECKPOINT_PERIOD, epochs)
        if (evaluates or saves) and cfg.BN.USE_PRECISE_STATS:
            batchnorm.make_precise(cfg, model, train_loader)
        batchnorm.share_statistics(model)
        if saves:
            path = checkpoint.checkpoint_path(cfg.OUTPUT_DIR, epoch + 1)
            if ranks.is_master():
                checkpoint.save_checkpoint(cfg, epoch, model, optimizer, scaler, debias.state())
            ranks.wait()
        if evaluates:
            val = validate(cfg, model, val_loader)
            best = min(best, val["top1_err"])
            number = f"{epoch + 1}/{epochs}"
            line = {"_type": "val_epoch", "epoch": number, "min_top1_err": best, **val}
            log_json(cfg.OUTPUT_DIR, line)
            scalars.write("Val", val, epoch)
        watch.after_epoch(model, epoch, epochs)
    watch.finish()
    scalars.close()
    return TrainResult(epochs, trained, val, path, watch.failed)


def train_epoch(
    cfg: CfgNode,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    loader: Loader,
    epoch: int,
    debias: Debiasing,
) -> dict[str, Any]:
    """One pass over the training list; returns its figures."""
    model.train()
    device = next(model.parameters()).device
    loss_of, meter = host.build_loss(cfg), TrainMeter(cfg, epoch, debias.epochs, len(loader))
    lr = host.lr_at(epoch, cfg)
    for step, batch in enumerate(progress(loader, len(loader), f"epoch {epoch + 1}")):
        meter.data_came()
        _check_batch(cfg, batch, epoch, step, loader)
        inputs = inputs_of(cfg, batch, device)
        labels = batch.labels.to(device, non_blocking=True)
        if cfg.BIAS.SHUFFLE.TRAIN:
            inputs = shuffle_frames(cfg, inputs, batch.indices, fold(cfg.RNG_SEED, epoch))
        debias.before_step(batch, inputs, epoch * len(loader) + step)
        now = epoch + step / len(loader)
        lr = debias.lr(now, host.lr_at(now, cfg))
        host.set_lr(optimizer, lr)
        with network.autocast(cfg, device):
            scores = model(inputs)
            loss = loss_of(scores, labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NotFiniteError(
                f"Expected a finite loss, but got {value} in epoch {epoch + 1}, iteration "
                f"{step + 1}. Lower SOLVER.BASE_LR or clip gradients (SOLVER.CLIP_GRAD_L2NORM); "
                f"the checkpoints in {cfg.OUTPUT_DIR}/checkpoints are whole."
            )
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        _clip(cfg, model, optimizer, scaler)
        scaler.step(optimizer)
        scaler.update()
        meter.step(step, value, count_hits(scores.detach().float(), labels).cpu(), lr)
    unreadable_videos.settle(cfg, loader, "train")
    return meter.finish(lr)


@torch.no_grad()
def validate(cfg: CfgNode, model: nn.Module, loader: Loader) -> dict[str, Any]:
    """Errors over the clips of the val list, each counted once whatever the number of processes."""
    model.eval()
    device = next(model.parameters()).device
    sums = torch.zeros(4, dtype=torch.float64, device=device)  # clips, hits, hits of five, dropped
    for batch in progress(loader, len(loader), "validation"):
        sums[3] += len(batch.dropped)
        unreadable_videos.note(cfg, loader, "val", batch)
        if not len(batch.labels):
            continue
        inputs = inputs_of(cfg, batch, device)
        labels = batch.labels.to(device, non_blocking=True)
        if cfg.BIAS.SHUFFLE.VAL:
            inputs = shuffle_frames(cfg, inputs, batch.indices, cfg.RNG_SEED)
        with network.autocast(cfg, device):
            scores = model(inputs)
        sums[:3] += count_hits(scores.float(), labels)
    ranks.sum_over_processes(sums)
    unreadable_videos.settle(cfg, loader, "val")
    if sums[3]:
        log.warning("%d clips of the val list could not be read and do not count", int(sums[3]))
    return {**errors(sums[:3].cpu()), "clips": int(sums[0]), "dropped": int(sums[3])}


def _start(cfg: CfgNode, model: nn.Module, optimizer: Any, scaler: Any, debias: Debiasing) -> int:
    """Loads what the run continues from; returns the epoch it begins with (0-based)."""
    if cfg.TRAIN.AUTO_RESUME:
        found = checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)
        if found is not None:
            path, state = found
            load_weights(model, state["model_state"], path, resumes=True)
            load_optimizer(optimizer, state, path)
            if "scaler_state" in state:
                scaler.load_state_dict(state["scaler_state"])
            debias.load_state(state.get("slowfast_bias", {}))
            log.info("resuming from %s", path)
            return state["epoch"] + 1
    path, kind = cfg.TRAIN.CHECKPOINT_FILE_PATH, cfg.TRAIN.CHECKPOINT_TYPE
    if not path:
        return 0
    state = checkpoint.read_checkpoint(path, kind)
    untouched = load_weights(
        model,
        state["model_state"],
        path,
        partial=cfg.BIAS.ALLOW_PARTIAL_WEIGHTS,
        inflate=cfg.TRAIN.CHECKPOINT_INFLATE,
        reshape=kind == "caffe2",
    )
    log.info("starting from the weights of %s", path)
    whole = not untouched and "optimizer_state" in state
    if cfg.TRAIN.CHECKPOINT_EPOCH_RESET or not whole or cfg.TRAIN.CHECKPOINT_INFLATE:
        return 0
    load_optimizer(optimizer, state, path)
    return state["epoch"] + 1


def _check_batch(cfg: CfgNode, batch: Batch, epoch: int, step: int, loader: Loader) -> None:
    """Names clips that could not be read, each once; a batch of nothing is an error."""
    unreadable_videos.note(cfg, loader, "train", batch)
    new = sorted({*batch.replaced, *batch.dropped} - loader.reported - set(batch.reasons))
    if new:
        log.warning("clips %s of the train list could not be read; others take their place", new)
        loader.reported.update(new)
    if not len(batch.labels):
        why = "".join(f"\n  {reason}" for reason in list(batch.reasons.values())[:5])
        raise DataError(
            f"Expected readable videos, but none of the batch in epoch {epoch + 1}, iteration "
            f"{step + 1} could be read (clips {batch.dropped}), nor any other of the same class. "
            f"Check DATA.PATH_PREFIX, take the class off the train list, or mend its videos:{why}"
        )


def _clip(cfg: CfgNode, model: nn.Module, optimizer: Any, scaler: Any) -> None:
    if cfg.SOLVER.CLIP_GRAD_VAL:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_value_(model.parameters(), cfg.SOLVER.CLIP_GRAD_VAL)
    elif cfg.SOLVER.CLIP_GRAD_L2NORM:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), cfg.SOLVER.CLIP_GRAD_L2NORM)


def _due(epoch: int, period: int, epochs: int) -> bool:
    """Whether something that happens every ``period`` epochs, and after the last, happens now."""
    return (epoch + 1) % period == 0 or epoch + 1 == epochs


def _write_config(cfg: CfgNode) -> None:
    if ranks.is_master():
        with write_whole(f"{cfg.OUTPUT_DIR}/config.yaml") as file:
            file.write(cfg.dump())
