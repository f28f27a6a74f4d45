"""check_cfg: everything that is wrong with a config, in one message, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.cluster_rank import place_from_environment, processes_per_machine
from slowfast_bias.config.allowed import lookup, wrong_values
from slowfast_bias.config.check_clips import clips
from slowfast_bias.config.check_styles import style_folders
from slowfast_bias.errors import UserError

# Switches of the hosts whose effect lives in their own training script, which is not used here.
_NOT_IN_OUR_LOOP = (
    "MIXUP.ENABLE", "MULTIGRID.SHORT_CYCLE", "MULTIGRID.LONG_CYCLE", "MASK.ENABLE", "DEMO.ENABLE",
    "DETECTION.ENABLE", "DATA.MULTI_LABEL", "MODEL.FP16_ALLREDUCE", "MODEL.FROZEN_BN",
)  # fmt: skip


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
    checks = (wrong_values, clips, _model, _features, _processes)
    return [problem for check in checks for problem in check(cfg)]


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
    if lookup(cfg, "DATA.ENSEMBLE_METHOD", "sum") != "sum":
        yield "DATA.ENSEMBLE_METHOD: this project's test adds the scores of views up; set it to sum"
    if lookup(cfg, "TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN", ()):
        yield "TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN: names are taken as they are; set it to ()"
    if lookup(cfg, "TASK", ""):
        yield f"TASK {cfg.TASK!r}: only classification is trained here; set it to ''"
    yield from _static_dropout(cfg)
    yield from _ablation(cfg)
    yield from style_folders(cfg)


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
