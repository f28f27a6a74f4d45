"""Checks of what training alone needs: the schedule, and what this project's loop does."""

from __future__ import annotations

from collections.abc import Iterator

from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup

# Switches of the hosts whose effect lives in their own training script, which is not used here.
_NOT_IN_OUR_LOOP = (
    "MIXUP.ENABLE", "MULTIGRID.SHORT_CYCLE", "MULTIGRID.LONG_CYCLE", "MODEL.FP16_ALLREDUCE",
    "MODEL.FROZEN_BN",
)  # fmt: skip


def training(cfg: CfgNode) -> Iterator[str]:
    """Yields what keeps `cfg` from training, one sentence each."""
    for key in _NOT_IN_OUR_LOOP:
        if lookup(cfg, key, False):
            yield f"{key} True: this project's training loop does not do that; set it to False"
    if lookup(cfg, "AUG.NUM_SAMPLE", 1) > 1:
        yield "AUG.NUM_SAMPLE: this project's training loop takes one sample per clip; set it to 1"
    if lookup(cfg, "TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN", ()):
        yield "TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN: names are taken as they are; set it to ()"
    if lookup(cfg, "SOLVER.CLIP_GRAD_VAL") and lookup(cfg, "SOLVER.CLIP_GRAD_L2NORM"):
        yield "SOLVER.CLIP_GRAD_VAL and SOLVER.CLIP_GRAD_L2NORM are both set; keep one of them"
    yield from _schedule(cfg.SOLVER)
    yield from static_dropout(cfg)


def unused_rates(cfg: CfgNode) -> list[float]:
    """Returns the last of SOLVER.LRS if there are more than SOLVER.STEPS: no epoch uses them."""
    if cfg.SOLVER.LR_POLICY != "steps_with_relative_lrs":
        return []
    return list(cfg.SOLVER.LRS)[len(cfg.SOLVER.STEPS) :]


def _schedule(solver: CfgNode) -> Iterator[str]:
    """Yields what makes the hosts fail at the first step, with an assertion or a wrong index."""
    nesterov = solver.OPTIMIZING_METHOD == "sgd" and solver.NESTEROV
    if nesterov and (solver.MOMENTUM == 0 or solver.DAMPENING != 0):
        yield (
            "SOLVER.NESTEROV: expected SOLVER.MOMENTUM above 0 and SOLVER.DAMPENING 0, but got "
            f"{solver.MOMENTUM} and {solver.DAMPENING}; set SOLVER.NESTEROV False"
        )
    end, base = lookup(solver, "COSINE_END_LR", 0.0), solver.BASE_LR
    if solver.LR_POLICY == "cosine" and end >= base:
        yield f"SOLVER.COSINE_END_LR {end}: expected less than SOLVER.BASE_LR, but that is {base}"
    if solver.LR_POLICY == "steps_with_relative_lrs":
        steps, rates = list(solver.STEPS), list(solver.LRS)
        numbers = all(isinstance(x, (int, float)) for x in (*steps, *rates))
        if not numbers or steps[:1] != [0] or steps != sorted(steps) or len(steps) > len(rates):
            yield (
                f"SOLVER.STEPS {steps} and SOLVER.LRS {rates}: expected epochs that rise from 0 "
                "and one relative rate for each"
            )


def static_dropout(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with BIAS.STATIC_DROPOUT, one sentence each."""
    drop = cfg.BIAS.STATIC_DROPOUT
    if not drop.ENABLE:
        return
    if not 0 < drop.RATE < 1:
        yield f"BIAS.STATIC_DROPOUT.RATE: expected a share between 0 and 1, but got {drop.RATE}"
    if drop.TEMPERATURE <= 0:
        yield f"BIAS.STATIC_DROPOUT.TEMPERATURE: expected more than 0, but got {drop.TEMPERATURE}"
    if drop.EMA == 1:
        yield "BIAS.STATIC_DROPOUT.EMA: 1 would never take a new estimate; choose less"
    if drop.KIND == "static" and cfg.TRAIN.BATCH_SIZE * cfg.NUM_SHARDS < 2:
        yield "TRAIN.BATCH_SIZE: static scores are correlations over a batch; 2 clips at least"
