"""check_cfg: everything that is wrong with a config, in one message, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.config.place import place_from_environment, processes_per_machine
from slowfast_bias.errors import UserError

# Switches of the hosts whose effect lives in their own training script, which is not used here.
_NOT_IN_OUR_LOOP = (
    "MIXUP.ENABLE", "MULTIGRID.SHORT_CYCLE", "MULTIGRID.LONG_CYCLE", "MASK.ENABLE", "DEMO.ENABLE",
    "DETECTION.ENABLE", "DATA.MULTI_LABEL", "MODEL.FP16_ALLREDUCE", "MODEL.FROZEN_BN",
)  # fmt: skip

_CHOICES = {
    "BIAS.SPLIT": ("val", "test"),
    "BIAS.STATISTIC": ("pearson", "pooled"),
    "BIAS.ORDER": ("clip", "pathway"),
    "BIAS.PRECISION": ("fp32", "bf16"),
    "BIAS.STYLES.SOURCE": ("generated", "folders"),
    "BIAS.STYLES.FAMILY": ("colour", "randconv"),
    "BIAS.STATIC_DROPOUT.KIND": ("static", "standard", "none"),
    "BIAS.STATIC_DROPOUT.MASK": ("sample", "batch"),
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
_RANGES: dict[str, tuple[float | None, float | None]] = {
    "BIAS.PERIOD": (0, None),
    "BIAS.NUM_VIDEOS": (0, None),
    "BIAS.BATCH_SIZE": (0, None),
    "BIAS.THRESHOLD": (-1, 1),
    "BIAS.STYLES.NUM": (2, None),
    "BIAS.TOY.RHO": (0, 1),
    "BIAS.TOY.NUM_TRAIN": (1, None),
    "BIAS.TOY.NUM_VAL": (1, None),
    "BIAS.TOY.NUM_TEST": (1, None),
    "BIAS.STATIC_DROPOUT.PERIOD": (1, None),
    "BIAS.STATIC_DROPOUT.RATE": (0, 1),
    "BIAS.STATIC_DROPOUT.EMA": (0, 1),
    "BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS": (0, None),
    "BN.NUM_BATCHES_PRECISE": (1, None),
    "DATA.NUM_FRAMES": (1, None),
    "DATA.SAMPLING_RATE": (1, None),
    "DATA_LOADER.NUM_WORKERS": (0, None),
    "LOG_PERIOD": (1, None),
    "MODEL.DROPOUT_RATE": (0, 1),
    "SOLVER.BASE_LR": (0, None),
    "SOLVER.CLIP_GRAD_L2NORM": (0, None),
    "SOLVER.CLIP_GRAD_VAL": (0, None),
    "SOLVER.MAX_EPOCH": (1, None),
    "SOLVER.WARMUP_EPOCHS": (0, None),
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

# Switches that exist in the config and not yet in the code.
_NOT_BUILT_YET = ("BIAS.ABLATION.ENABLE",)


class ConfigError(UserError, ValueError):
    """A config that cannot be run; the message names every problem at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{len(self.problems)} problem(s) in the config:{lines}")

    def __reduce__(self) -> tuple[type, tuple[list[str]]]:
        return type(self), (self.problems,)  # so that it travels between processes


def check_cfg(cfg: CfgNode) -> None:
    """Raises one ConfigError that names all problems of ``cfg`` on this host and machine."""
    problems = find_problems(cfg)
    if problems:
        raise ConfigError(problems)


def find_problems(cfg: CfgNode) -> list[str]:
    """What is wrong with ``cfg`` on this host and machine, one sentence each."""
    checks = (_values, _model, _features, _processes)
    return [problem for check in checks for problem in check(cfg)]


def lookup(cfg: CfgNode, key: str, default: Any = None) -> Any:
    """The value of a dotted key, or ``default`` where this host does not have it."""
    node: Any = cfg
    for part in key.split("."):
        if not isinstance(node, CfgNode) or part not in node:
            return default
        node = node[part]
    return node


def _values(cfg: CfgNode) -> Iterator[str]:
    for key, choices in _CHOICES.items():
        value = lookup(cfg, key, choices[0])
        if value not in choices:
            yield f"{key}: expected one of {', '.join(choices)}, but got {value!r}"
    for key, (low, high) in _RANGES.items():
        value = lookup(cfg, key, low)
        if value is None:
            continue
        if not isinstance(value, (int, float)):
            yield f"{key}: expected a number, but got {value!r}"
        elif (low is not None and value < low) or (high is not None and value > high):
            span = f"at least {low}" if high is None else f"a value from {low} to {high}"
            yield f"{key}: expected {span}, but got {value}"
    if lookup(cfg, "SOLVER.CLIP_GRAD_VAL") and lookup(cfg, "SOLVER.CLIP_GRAD_L2NORM"):
        yield "SOLVER.CLIP_GRAD_VAL and SOLVER.CLIP_GRAD_L2NORM are both set; keep one of them"


def _model(cfg: CfgNode) -> Iterator[str]:
    arch, name = cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME
    families = {"slowfast": "SlowFast", "x3d": "X3D", "mvit": "MViT"}
    wants = "ptv" if name.startswith("PTV") else arch
    if wants not in host.capabilities:
        yield (
            f"MODEL.ARCH {arch} / MODEL_NAME {name} needs the capability {wants!r}, which SlowFast "
            f"{host.name} lacks here (it has {', '.join(sorted(host.capabilities))}). {host.remedy}"
        )
    elif wants != "ptv" and name != families.get(arch, "ResNet"):
        yield f"MODEL.ARCH {arch} is a {families.get(arch, 'ResNet')}, but MODEL_NAME is {name}"
    pathways = 2 if arch == "slowfast" else 1
    if len(cfg.DATA.INPUT_CHANNEL_NUM) != pathways:
        yield (
            f"DATA.INPUT_CHANNEL_NUM: expected {pathways} number(s), one per pathway of {arch}, "
            f"but got {cfg.DATA.INPUT_CHANNEL_NUM}"
        )
    yield from host.problems(cfg)
    if cfg.RESNET.DEPTH not in (18, 50, 101):
        yield f"RESNET.DEPTH: expected 18, 50 or 101, but got {cfg.RESNET.DEPTH}"
    kernels = [n for row in cfg.RESNET.NUM_BLOCK_TEMP_KERNEL for n in row]
    if cfg.RESNET.DEPTH == 18 and max(kernels) > 2:
        yield (
            "RESNET.DEPTH 18 has 2 blocks a stage; set RESNET.NUM_BLOCK_TEMP_KERNEL to "
            f"{[[2] * pathways] * 4}"
        )


def _features(cfg: CfgNode) -> Iterator[str]:
    for key in _NOT_IN_OUR_LOOP:
        if lookup(cfg, key, False):
            yield f"{key} True: this project's training loop does not do that; set it to False"
    if lookup(cfg, "AUG.NUM_SAMPLE", 1) > 1:
        yield "AUG.NUM_SAMPLE: this project's training loop takes one sample per clip; set it to 1"
    if lookup(cfg, "TASK", ""):
        yield f"TASK {cfg.TASK!r}: only classification is trained here; set it to ''"
    for key in _NOT_BUILT_YET:
        if lookup(cfg, key, False):
            yield f"{key} {lookup(cfg, key)}: not built yet; leave it at its default"
    yield from _static_dropout(cfg)
    yield from _ablation(cfg)
    if cfg.BIAS.STYLES.SOURCE == "folders":
        yield "BIAS.STYLES.SOURCE folders: not built yet; use generated"


def _static_dropout(cfg: CfgNode) -> Iterator[str]:
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


def _ablation(cfg: CfgNode) -> Iterator[str]:
    options, orders = cfg.BIAS.ABLATION, ("static", "dynamic", "random")
    if not options.FACTORS or not set(options.FACTORS) <= set(orders):
        yield (
            f"BIAS.ABLATION.FACTORS: expected some of {', '.join(orders)}, but got "
            f"{list(options.FACTORS)}"
        )
    shares = [isinstance(x, (int, float)) and 0 <= x <= 1 for x in options.FRACTIONS]
    if not shares or not all(shares):
        yield (
            "BIAS.ABLATION.FRACTIONS: expected shares of the units from 0 to 1, but got "
            f"{list(options.FRACTIONS)}"
        )
    seeds = [isinstance(x, int) for x in options.SEEDS]
    if "random" in options.FACTORS and not (seeds and all(seeds)):
        yield (
            "BIAS.ABLATION.SEEDS: expected whole numbers, one per random order, but got "
            f"{list(options.SEEDS)}"
        )


def _processes(cfg: CfgNode) -> Iterator[str]:
    gpus, cores = torch.cuda.device_count(), os.cpu_count() or 1
    if torch.cuda.is_available() and gpus < cfg.NUM_GPUS:
        yield f"NUM_GPUS {cfg.NUM_GPUS}: this machine has {gpus}; set NUM_GPUS to {gpus} or fewer"
    if not torch.cuda.is_available() and cores < cfg.NUM_GPUS:
        yield (
            f"NUM_GPUS {cfg.NUM_GPUS}: this machine has no GPU that torch can see, and {cores} "
            f"cores; set NUM_GPUS 0 for one process on the CPU, or at most {cores} for as many "
            "CPU processes"
        )
    shards, alone = cfg.NUM_SHARDS, place_from_environment(os.environ) is None
    if shards > 1 and cfg.NUM_GPUS <= 1 and alone:
        yield (
            f"NUM_GPUS {cfg.NUM_GPUS} with NUM_SHARDS {shards}: SlowFast would train {shards} "
            "unsynchronised copies into one OUTPUT_DIR; start one process per machine with "
            "torchrun or srun instead, which sets the ranks itself"
        )
    if cfg.SHARD_ID not in range(max(1, shards)):
        yield f"SHARD_ID {cfg.SHARD_ID}: expected 0 to {shards - 1} with NUM_SHARDS {shards}"
    local = processes_per_machine(cfg)
    for key in ("TRAIN.BATCH_SIZE", "TEST.BATCH_SIZE", "BIAS.BATCH_SIZE"):
        size = lookup(cfg, key)
        if size and size % local:
            even = max(local, size // local * local)
            yield f"{key} {size} is not divisible by the {local} processes of a machine; try {even}"
