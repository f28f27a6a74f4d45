"""Single values: what each key may be, wherever the host stands; and the schedule's few laws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fvcore.common.config import CfgNode

_LISTS = (
    "csv", "kinetics", "ssv2", "something_else", "diving48", "activitynet", "ucf101", "hmdb51",
    "folders",
)  # fmt: skip

CHOICES = {
    "BIAS.SPLIT": ("val", "test"),
    "BIAS.STATISTIC": ("pearson", "pooled"),
    "BIAS.ORDER": ("clip", "pathway"),
    "BIAS.PRECISION": ("fp32", "bf16"),
    "BIAS.STYLES.SOURCE": ("generated", "folders"),
    "BIAS.STYLES.FAMILY": ("colour", "randconv"),
    "BIAS.STATIC_DROPOUT.KIND": ("static", "standard", "none"),
    "BIAS.STATIC_DROPOUT.MASK": ("sample", "batch"),
    "BIAS.DATA.FORMAT": _LISTS,
    "BIAS.DATA.SAMPLING": ("window", "segments"),
    "BIAS.DATA.STRIDE": ("host", "exact"),
    "BIAS.DATA.SHORT": ("clamp", "loop"),
    "BIAS.DATA.DECODER": ("pyav", "torchcodec"),
    "BIAS.TOY.LABELS": ("static", "dynamic", "both", "correlated"),
    "BIAS.TOY.MOTION": ("orbit4", "orbit2", "osc3", "ramp2"),
    "TRAIN.CHECKPOINT_TYPE": ("pytorch", "caffe2"),
    "TEST.CHECKPOINT_TYPE": ("pytorch", "caffe2"),
    "BN.NORM_TYPE": ("batchnorm", "sync_batchnorm"),
    "SOLVER.LR_POLICY": ("cosine", "steps_with_relative_lrs"),
    "SOLVER.OPTIMIZING_METHOD": ("sgd", "adam", "adamw"),
    "MODEL.LOSS_FUNC": ("cross_entropy", "soft_cross_entropy"),
}

# key -> (lowest, highest); None is open
RANGES: dict[str, tuple[float | None, float | None]] = {
    "BIAS.PERIOD": (0, None),
    "BIAS.NUM_VIDEOS": (0, None),
    "BIAS.BATCH_SIZE": (0, None),
    "BIAS.THRESHOLD": (-1, 1),
    "BIAS.STYLES.NUM": (2, None),
    "BIAS.SHUFFLE.ORDERS": (1, None),
    "BIAS.DATA.FOLDER_FPS": (1e-3, None),
    "BIAS.DATA.MAX_BAD_SHARE": (0, 1),
    "BIAS.TOY.RHO": (0, 1),
    "BIAS.TOY.NUM_TRAIN": (1, None),
    "BIAS.TOY.NUM_VAL": (1, None),
    "BIAS.TOY.NUM_TEST": (1, None),
    "BIAS.STATIC_DROPOUT.PERIOD": (1, None),
    "BIAS.STATIC_DROPOUT.RATE": (0, 1),
    "BIAS.STATIC_DROPOUT.EMA": (0, 1),
    "BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS": (0, None),
    "BIAS.STATIC_DROPOUT.FINETUNE_LR": (0, None),
    "BN.NUM_BATCHES_PRECISE": (1, None),
    "DATA.NUM_FRAMES": (1, None),
    "DATA.SAMPLING_RATE": (1, None),
    "DATA.TEST_CROP_SIZE": (1, None),
    "DATA.TRAIN_CROP_SIZE": (1, None),
    "DATA_LOADER.NUM_WORKERS": (0, None),
    "LOG_PERIOD": (1, None),
    "MODEL.DROPOUT_RATE": (0, 1),
    "RESNET.WIDTH_PER_GROUP": (1, None),
    "SLOWFAST.ALPHA": (1, None),
    "SLOWFAST.BETA_INV": (1, None),
    "SOLVER.BASE_LR": (0, None),
    "SOLVER.CLIP_GRAD_L2NORM": (0, None),
    "SOLVER.CLIP_GRAD_VAL": (0, None),
    "SOLVER.DAMPENING": (0, None),
    "SOLVER.MAX_EPOCH": (1, None),
    "SOLVER.MOMENTUM": (0, None),
    "SOLVER.WARMUP_EPOCHS": (0, None),
    "SOLVER.WEIGHT_DECAY": (0, None),
    "TRAIN.EVAL_PERIOD": (1, None),
    "TRAIN.CHECKPOINT_PERIOD": (1, None),
    "TRAIN.BATCH_SIZE": (1, None),
    "TEST.BATCH_SIZE": (1, None),
    "TEST.NUM_ENSEMBLE_VIEWS": (1, None),
    "TEST.NUM_SPATIAL_CROPS": (1, None),
    "MODEL.NUM_CLASSES": (1, None),
    "NUM_GPUS": (0, None),
    "NUM_SHARDS": (1, None),
}


def lookup(cfg: CfgNode, key: str, default: Any = None) -> Any:
    """The value of a dotted key, or ``default`` where this host does not have it."""
    node: Any = cfg
    for part in key.split("."):
        if not isinstance(node, CfgNode) or part not in node:
            return default
        node = node[part]
    return node


def wrong_values(cfg: CfgNode) -> Iterator[str]:
    """What is wrong with the values of ``cfg``, one sentence each."""
    for key, choices in CHOICES.items():
        value = lookup(cfg, key, choices[0])
        if value not in choices:
            yield f"{key}: expected one of {', '.join(choices)}, but got {value!r}"
    for key, (low, high) in RANGES.items():
        value = lookup(cfg, key, low)
        if value is None:
            continue
        if not isinstance(value, (int, float)):
            yield f"{key}: expected a number, but got {value!r}"
        # not the other way round: every comparison with nan is false
        elif not ((low is None or value >= low) and (high is None or value <= high)):
            span = f"at least {low}" if high is None else f"a value from {low} to {high}"
            yield f"{key}: expected {span}, but got {value}"
    if lookup(cfg, "SOLVER.CLIP_GRAD_VAL") and lookup(cfg, "SOLVER.CLIP_GRAD_L2NORM"):
        yield "SOLVER.CLIP_GRAD_VAL and SOLVER.CLIP_GRAD_L2NORM are both set; keep one of them"
    yield from _schedule(cfg.SOLVER)


def _schedule(solver: CfgNode) -> Iterator[str]:
    """What the hosts would only meet at the first step, as a bare assertion or a wrong index."""
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
        if steps[:1] != [0] or steps != sorted(steps) or len(steps) != len(rates):
            yield (
                f"SOLVER.STEPS {steps} and SOLVER.LRS {rates}: expected epochs that rise from 0 "
                "and one relative rate for each"
            )
