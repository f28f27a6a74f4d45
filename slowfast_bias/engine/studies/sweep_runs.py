"""The runs of a sweep: their settings, folders and configs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.config import ConfigError, dump_cfg, load_cfg
from slowfast_bias.errors import OutputError
from slowfast_bias.outputs import Outputs

KINDS = ("none", "standard", "static")
Options = Sequence[Any]  # KEY, VALUE, KEY, VALUE, ...


@dataclass(frozen=True)
class Run:
    """One network to train; a rate if there is dropout, a temperature if that is static."""

    config: str
    kind: str
    rate: float | None
    temperature: float | None
    seed: int

    @property
    def stem(self) -> str:
        """The config's name, without folder and ending."""
        return PurePath(self.config).stem

    @property
    def name(self) -> str:
        """The folder's name."""
        rate = "" if self.rate is None else f"-r{self.rate:g}"
        temperature = "" if self.temperature is None else f"-t{self.temperature:g}"
        return f"{self.stem}-{self.kind}{rate}{temperature}-s{self.seed}"

    def options(self) -> list[Any]:
        """Returns the config keys and values of this run."""
        drop = {"KIND": self.kind, "RATE": self.rate, "TEMPERATURE": self.temperature}
        keys = {f"BIAS.STATIC_DROPOUT.{k}": v for k, v in drop.items() if v is not None}
        keys |= {"BIAS.STATIC_DROPOUT.ENABLE": True}
        keys |= {"RNG_SEED": self.seed, "TRAIN.AUTO_RESUME": True}
        return [word for pair in keys.items() for word in pair]


def plan(
    configs: Sequence[str],
    kinds: Sequence[str] = KINDS,
    rates: Sequence[float] = (0.1, 0.3, 0.5, 0.7),
    temperatures: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (0,),
) -> list[Run]:
    """Returns all runs, by seed; "none" has no rate or temperature, "standard" only a rate."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ConfigError([f"kinds: expected some of {', '.join(KINDS)}, but got {unknown[0]!r}"])
    settings = {
        "none": [(None, None)],
        "standard": [(rate, None) for rate in rates],
        "static": list(itertools.product(rates, temperatures)),
    }
    runs = [
        Run(config, kind, rate, temperature, seed)
        for seed in seeds
        for config in configs
        for kind in kinds
        for rate, temperature in settings[kind]
    ]
    runs = list(dict.fromkeys(runs))
    names = [run.name for run in runs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError([f"configs: two runs would share the folder {twice}; rename a file"])
    return runs


def run_config(
    out: str, run: Run, options: Options = (), start: str = "", here: bool = True
) -> CfgNode:
    """Returns the config of a run in the sweep's folder; it begins with `start`'s last weights.

    One that is not to run `here` may ask for more GPUs than this machine has.
    """
    words = [*options, *run.options(), "OUTPUT_DIR", f"{out}/{run.name}"]
    if start:
        words += [
            "TRAIN.CHECKPOINT_FILE_PATH", last_weights(start_config(out, start, run.seed)),
            "TRAIN.CHECKPOINT_EPOCH_RESET", True, "BIAS.ALLOW_PARTIAL_WEIGHTS", True,
        ]  # fmt: skip
    return load_cfg(run.config, words, here=here)


def start_config(out: str, start: str, seed: int) -> CfgNode:
    """Returns the config of the network that all runs of a seed begin with."""
    folder = f"{out}/start-{PurePath(start).stem}-s{seed}"
    return load_cfg(start, ["RNG_SEED", seed, "TRAIN.AUTO_RESUME", True, "OUTPUT_DIR", folder])


def refuse_other_settings(cfg: CfgNode, path: str = "") -> None:
    """Raises OutputError if the folder of `cfg` holds a run of another config: they would mix.

    Args:
        cfg: the config of the run.
        path: the config that was written there; "" for the one that training wrote.
    """
    _, new = other_settings(cfg, path or Outputs(cfg.OUTPUT_DIR).config)
    if new:
        raise OutputError(
            f"Expected {cfg.OUTPUT_DIR} to have the same settings, but it holds a run of others "
            f"(now {', '.join(new[:3])}{', ...' if len(new) > 3 else ''}). Give another folder, or "
            "delete this one."
        )


def other_settings(cfg: CfgNode, path: str) -> tuple[list[str], list[str]]:
    """Returns the settings of a config file that `cfg` lacks, and those that it has instead."""
    if not g_pathmgr.exists(path):
        return [], []
    with g_pathmgr.open(path, "r") as file:
        there = file.read().splitlines()
    mine = dump_cfg(cfg).splitlines()
    return tuple(
        [x.strip() for x in a if x not in set(b)] for a, b in ((there, mine), (mine, there))
    )


def last_weights(cfg: CfgNode) -> str:
    """Returns the checkpoint that is there when the training of `cfg` is done."""
    drop = cfg.BIAS.STATIC_DROPOUT
    epochs = cfg.SOLVER.MAX_EPOCH + (drop.FINETUNE_EPOCHS if drop.ENABLE else 0)
    return Outputs(cfg.OUTPUT_DIR).checkpoint(epochs)
