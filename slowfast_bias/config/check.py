"""check_cfg: everything that is wrong with a config, in one message, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.cluster_rank import processes_per_machine, rank_from_environment
from slowfast_bias.config.check_behaviour import behaviour
from slowfast_bias.config.check_clips import clips
from slowfast_bias.config.check_cues import cues
from slowfast_bias.config.check_model import model
from slowfast_bias.config.check_segmentation import task
from slowfast_bias.config.check_speed import speed
from slowfast_bias.config.check_styles import style_folders
from slowfast_bias.config.check_training import training
from slowfast_bias.config.lookup import lookup
from slowfast_bias.config.options import BIAS_OPTIONS, HOST_OPTIONS
from slowfast_bias.errors import UserError

# Switches of the hosts whose effect lives in their own scripts, which are not used here.
_NOT_HERE = ("MASK.ENABLE", "DEMO.ENABLE", "DETECTION.ENABLE", "DATA.MULTI_LABEL")


class ConfigError(UserError, ValueError):
    """A config that cannot be run; the message names every problem at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{len(self.problems)} problem(s) in the config:{lines}")

    def __reduce__(self) -> tuple[type, tuple[list[str]]]:
        return type(self), (self.problems,)  # so that it travels between processes


def check_cfg(cfg: CfgNode) -> None:
    """Raises one ConfigError that names all problems of `cfg` on this host and machine."""
    _raise(find_problems(cfg))


def check_training(cfg: CfgNode) -> None:
    """Raises one ConfigError that names what keeps `cfg` from training, TRAIN.ENABLE or not."""
    _raise(list(training(cfg)))


def find_problems(cfg: CfgNode, here: bool = True) -> list[str]:
    """Returns what is wrong with `cfg` on this host and machine, one sentence each.

    What training alone needs is asked for only if TRAIN.ENABLE; GPUs and cores only if it is to
    run `here`.
    """
    checks = [_values, clips, model, task, _features, _silencing, behaviour, style_folders, cues]
    checks += [_machine, _processes, _speed] if here else [_processes]
    checks += [training] if cfg.TRAIN.ENABLE else []
    return [problem for check in checks for problem in check(cfg)]


def _raise(problems: list[str]) -> None:
    if problems:
        raise ConfigError(problems)


def _values(cfg: CfgNode) -> Iterator[str]:
    for option in (*BIAS_OPTIONS, *HOST_OPTIONS):
        missing = object()
        value = lookup(cfg, option.key, missing)
        if value is not missing and (problem := option.wrong(value)):
            yield problem


def _features(cfg: CfgNode) -> Iterator[str]:
    separator = lookup(cfg, "DATA.PATH_LABEL_SEPARATOR")
    if separator is not None and not isinstance(separator, str):
        yield f"DATA.PATH_LABEL_SEPARATOR: expected text, but got {separator!r}"
    for key in _NOT_HERE:
        if lookup(cfg, key, False):
            yield f"{key} True: this project does not do that; set it to False"
    if lookup(cfg, "DATA.ENSEMBLE_METHOD", "sum") != "sum":
        yield "DATA.ENSEMBLE_METHOD: this project's test adds the scores of views up; set it to sum"
    what = lookup(cfg, "TASK", "")
    # ssl_eval: classification by a network that was trained without labels before
    if what and not what.startswith("ssl_eval"):
        yield f"TASK {cfg.TASK!r}: only classification is trained here; set it to ''"


def _silencing(cfg: CfgNode) -> Iterator[str]:
    options, orders = cfg.BIAS.ABLATION, ("static", "dynamic", "random")
    if not options.FACTORS or not all(factor in orders for factor in options.FACTORS):
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


def _speed(cfg: CfgNode) -> Iterator[str]:
    yield from speed(cfg, "cuda" if cfg.NUM_GPUS and torch.cuda.is_available() else "cpu")


def _machine(cfg: CfgNode) -> Iterator[str]:
    gpus, cores = torch.cuda.device_count(), os.cpu_count() or 1
    if torch.cuda.is_available() and gpus < cfg.NUM_GPUS:
        yield f"NUM_GPUS {cfg.NUM_GPUS}: this machine has {gpus}; set NUM_GPUS to {gpus} or fewer"
    if not torch.cuda.is_available() and cores < cfg.NUM_GPUS:
        yield (
            f"NUM_GPUS {cfg.NUM_GPUS}: this machine has no GPU that torch can see, and {cores} "
            f"cores; set NUM_GPUS 0 for one process on the CPU, or at most {cores} for as many "
            "CPU processes"
        )


def _processes(cfg: CfgNode) -> Iterator[str]:
    rank = rank_from_environment(os.environ)
    if cfg.NUM_SHARDS > 1 and cfg.NUM_GPUS <= 1 and rank is None:
        yield (
            f"NUM_GPUS {cfg.NUM_GPUS} with NUM_SHARDS {cfg.NUM_SHARDS}: SlowFast would train "
            f"{cfg.NUM_SHARDS} unsynchronised copies into one OUTPUT_DIR; start one process per "
            "machine with torchrun or srun instead, which sets the ranks itself"
        )
    if cfg.SHARD_ID not in range(max(1, cfg.NUM_SHARDS)):
        last = cfg.NUM_SHARDS - 1
        yield f"SHARD_ID {cfg.SHARD_ID}: expected 0 to {last} with NUM_SHARDS {cfg.NUM_SHARDS}"
    local = processes_per_machine(rank, cfg.NUM_GPUS)
    keys = ("TEST.BATCH_SIZE", "BIAS.BATCH_SIZE")
    for key in ("TRAIN.BATCH_SIZE", *keys) if cfg.TRAIN.ENABLE else keys:
        size = lookup(cfg, key)
        if size and size % local:
            even = max(local, size // local * local)
            yield f"{key} {size} is not divisible by the {local} processes of a machine; try {even}"
