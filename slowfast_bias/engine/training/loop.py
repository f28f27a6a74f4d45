"""The training loop, on the host's networks, optimizers, schedules and checkpoint format.

Reads from top to bottom. Every epoch is seeded by (RNG_SEED, epoch, rank), so a run that was killed
and started again continues exactly as if nothing had happened.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias import host, preemption
from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.measuring.layers import check_layers
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.arriving import Arriving
from slowfast_bias.engine.runtime.log import progress, set_up_logging
from slowfast_bias.engine.runtime.tensorboard import Scalars
from slowfast_bias.engine.setup import checkpoint, divergence, network
from slowfast_bias.engine.setup.provenance import write_config
from slowfast_bias.engine.tasks import Task, make_task
from slowfast_bias.engine.tasks.task import figures_to_come
from slowfast_bias.engine.training import batchnorm
from slowfast_bias.engine.training.learner import Learner
from slowfast_bias.engine.training.lists import ListInUse, check_batch, orders_of
from slowfast_bias.engine.training.meters import Step, TrainMeter
from slowfast_bias.engine.training.mid_epoch import MidEpoch
from slowfast_bias.engine.training.periodic_measurement import PeriodicMeasurement
from slowfast_bias.engine.training.rates import give_decoder_its_rate
from slowfast_bias.engine.training.resume import start_from
from slowfast_bias.engine.training.static_dropout import Debiasing
from slowfast_bias.engine.training.validation import Validations
from slowfast_bias.models.families import family_of
from slowfast_bias.models.fast import learnt_in_channels_last
from slowfast_bias.outputs import Outputs
from slowfast_bias.seeding import seed_all, seed_from

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """What a training run ended with."""

    epochs: int
    train: dict[str, Any] | None  # figures of the last epoch; None if nothing was left to do
    val: dict[str, Any] | None  # figures of the last validation
    checkpoint: str
    failed_measurements: int = 0  # of those that BIAS.PERIOD asked for
    report: BiasReport | None = None  # of the last epoch's weights, if they were measured


def train(cfg: CfgNode) -> TrainResult:
    """Trains in this process (one rank of the group, if there is one)."""
    set_up_logging(cfg.OUTPUT_DIR)
    outputs = Outputs(cfg.OUTPUT_DIR)
    if ranks.is_master():
        write_config(cfg, outputs.config)
    model = network.build_network(cfg)
    check_layers(cfg, model)
    if cfg.BIAS.TRAIN_CHANNELS_LAST:
        learnt_in_channels_last(model)
    task = make_task(cfg, model)
    debias = Debiasing(cfg, model, task)  # before the network is wrapped for several processes
    device = next(model.parameters()).device
    optimizer = host.construct_optimizer(model, cfg)
    give_decoder_its_rate(model, optimizer, cfg.BIAS.MASKS.DECODER_RATE)
    scaler = torch.amp.GradScaler(
        device.type, enabled=cfg.TRAIN.MIXED_PRECISION and device.type == "cuda"
    )
    learner = Learner(model, optimizer, scaler, debias)
    first = start_from(cfg, learner)
    wrapped = network.across_processes(model)
    train_list = ListInUse(cfg, "train")
    middle = MidEpoch(cfg, learner, train_list)
    first = middle.resume(first)
    scalars = Scalars(cfg)
    measurement, epochs = PeriodicMeasurement(cfg, scalars), debias.epochs
    log.info("epochs %d to %d on %s", first + 1, epochs, device)

    validations = Validations(cfg, task, model, scalars, epochs, first)
    trained, path = None, outputs.checkpoint(first)
    report = None
    if not middle.goes_on:
        report = _catch_up(cfg, learner, first, validations, measurement)
    for epoch in _until_preempted(range(first, epochs)):
        seed_all(cfg.RNG_SEED, epoch, ranks.rank())
        train_list.loader.set_epoch(epoch)
        debias.begin_epoch(epoch)
        trained = train_epoch(cfg, task, wrapped, learner, train_list, epoch, middle)
        scalars.write("Train", trained, epoch)
        evaluates = _due(epoch, cfg.TRAIN.EVAL_PERIOD, epochs)
        saves = _due(epoch, cfg.TRAIN.CHECKPOINT_PERIOD, epochs)
        if (evaluates or saves) and cfg.BN.USE_PRECISE_STATS:
            batchnorm.make_precise(cfg, task, model, train_list.loader)
        batchnorm.share_statistics(model)
        saves = saves or _preempted()
        if saves:
            path = outputs.checkpoint(epoch + 1)
            ranks.all_or_none(functools.partial(_save_on_master, cfg, epoch, learner, middle))
        if evaluates:
            validations.after_epoch(epoch, path if saves else None)
        report = measurement.after_epoch(model, epoch, epochs)
    measurement.finish()
    scalars.close()
    return TrainResult(epochs, trained, validations.last, path, measurement.failed, report)


def _catch_up(
    cfg: CfgNode,
    learner: Learner,
    first: int,
    validations: Validations,
    measurement: PeriodicMeasurement,
) -> BiasReport | None:
    """Does what was due after the epoch before `first`, if the run was stopped before it was done.

    Returns the report of that epoch's weights, if they are measured now.
    """
    epoch, epochs = first - 1, learner.debias.epochs
    path = Outputs(cfg.OUTPUT_DIR).checkpoint(first)
    if not first or not ranks.from_master(g_pathmgr.isfile(path)):
        return None  # the weights are of another run
    if _due(epoch, cfg.TRAIN.EVAL_PERIOD, epochs) and validations.lacks(epoch):
        validations.after_epoch(epoch, path)
    if not measurement.lacks(first):
        return None
    return measurement.after_epoch(learner.model, epoch, epochs)


def train_epoch(
    cfg: CfgNode,
    task: Task,
    model: nn.Module,
    learner: Learner,
    train_list: ListInUse,
    epoch: int,
    middle: MidEpoch,
) -> dict[str, Any]:
    """Returns the figures of one pass over the training list; `model` is wrapped, or not."""
    model.train()
    optimizer, scaler, debias = learner.optimizer, learner.scaler, learner.debias
    loader, family = train_list.loader, family_of(learner.model)
    device = next(model.parameters()).device

    def check(step: Step, loss: float) -> None:
        if not math.isfinite(loss):
            data = loader.dataset
            raise divergence.loss_not_finite(cfg, epoch, step.number, loss, data, step.clips)

    meter = TrainMeter(cfg, epoch, debias.epochs, len(loader), task.no_figures(), check)
    lr, first = host.lr_at(epoch, cfg), middle.begin(meter)
    steps = progress(loader, len(loader) - first, f"epoch {epoch + 1}")
    for step, batch in enumerate(steps, first):
        meter.data_came()
        check_batch(train_list, batch, epoch, step)
        batch = task.varied(batch, seed_from(cfg.RNG_SEED, epoch, step))
        orders = orders_of(cfg.BIAS.SHUFFLE.TRAIN, batch, seed_from(cfg.RNG_SEED, epoch))
        inputs = task.inputs(batch, device, orders)
        debias.before_step(batch, inputs, epoch * len(loader) + step, orders)
        now = epoch + step / len(loader)
        lr = debias.lr(now, host.lr_at(now, cfg))
        host.set_lr(optimizer, lr)
        with network.autocast(cfg, device):
            output = family.call(model, inputs)
            loss = task.loss(output, batch)
        found, figures = Arriving(loss), figures_to_come(task, output, batch)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        _clip(cfg, model, optimizer, scaler)
        scaler.step(optimizer)
        scaler.update()
        meter.step(Step(step, found, figures, batch.indices.tolist(), lr))
        middle.after_step(epoch, step + 1, meter)
    train_list.unreadable.merge_over_ranks()
    return meter.finish(lr)


def _until_preempted(epochs: Iterable[int]) -> Iterator[int]:
    """Yields epochs until the machine is wanted back, and finishes the one that is going on."""
    with preemption.at_boundaries():
        for epoch in epochs:
            yield epoch
            if _preempted():
                raise preemption.Preempted


def _preempted() -> bool:
    """Returns whether a signal has come to any process; every process must ask."""
    return any(ranks.gather_objects(preemption.asked()))


def _save_on_master(cfg: CfgNode, epoch: int, learner: Learner, middle: MidEpoch) -> None:
    if ranks.is_master():
        checkpoint.save_checkpoint(cfg, epoch, *learner.parts())
        middle.remove()


def _clip(cfg: CfgNode, model: nn.Module, optimizer: Any, scaler: Any) -> None:
    if cfg.SOLVER.CLIP_GRAD_VAL:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_value_(model.parameters(), cfg.SOLVER.CLIP_GRAD_VAL)
    elif cfg.SOLVER.CLIP_GRAD_L2NORM:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), cfg.SOLVER.CLIP_GRAD_L2NORM)


def _due(epoch: int, period: int, epochs: int) -> bool:
    """Returns whether what happens every `period` epochs, and after the last, happens now."""
    return (epoch + 1) % period == 0 or epoch + 1 == epochs
