"""The BIAS keys in SlowFast's own config, and what SlowFast's loop cannot do of them.

A key without effect would be a wrong result, so it is an error that names the command that has it.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias import config, host
from slowfast_bias.config import ConfigError
from slowfast_bias.config.check_training import static_dropout
from slowfast_bias.config.lookup import lookup
from slowfast_bias.config.options import BIAS_OPTIONS
from slowfast_bias.errors import PluginError
from slowfast_bias.models.families import canonical_names
from slowfast_bias.plugin.import_hooks import after_import
from slowfast_bias.plugin.names import STATIC_DROPOUT, is_shuffled, reads_items

# {key that has to stay at its default: what has it instead}
_ELSEWHERE = {
    "BIAS.SHUFFLE.TEST": "`slowfast_bias test` tests a checkpoint with frames in all orders",
    "BIAS.BEHAVIOUR.ENABLE": "`slowfast_bias battery` tests a checkpoint with changed clips",
    "BIAS.ABLATION.ENABLE": "`slowfast_bias run` with it, TRAIN.ENABLE False and "
    "TEST.CHECKPOINT_FILE_PATH silences units of a checkpoint",
    "BIAS.NEW_CLASSIFIER": "SlowFast leaves out weights that do not fit, by its own rules; "
    "`slowfast_bias run` trains with it",
    "BIAS.TASK": "SlowFast's loop is told what to learn by its own keys",
}
# Loops in a loop of SlowFast that a data set of this project knows nothing of.
_MANY_SAMPLES = ("AUG.NUM_SAMPLE", "DATA.TRAIN_CROP_NUM_TEMPORAL", "DATA.TRAIN_CROP_NUM_SPATIAL")


def add_keys() -> None:
    """Adds the BIAS keys to SlowFast's defaults, and their check to its `load_config`."""
    after_import("slowfast.utils.parser", _check_what_it_loads)
    defaults = importlib.import_module("slowfast.config.defaults")
    cfg = getattr(defaults, "_C", None)
    # custom_config.py is imported before the defaults exist, and adds the keys when it is called
    begins = cfg is None and getattr(defaults.__spec__, "_initializing", False)
    if begins:
        return
    if not isinstance(cfg, CfgNode):
        raise PluginError(
            f"Expected {defaults.__file__} to hold its defaults in a CfgNode `_C`, as SlowFast's "
            "main branch does, but it has none. Add the keys where your fork makes its config: "
            "`slowfast_bias.plugin.add_bias_config(cfg)`."
        )
    add_bias_config(cfg)


def add_bias_config(cfg: CfgNode) -> None:
    """Adds the BIAS keys to SlowFast's own defaults, in place; keys that are there stay.

    Keys of networks that this checkout lacks come with them. Called with `_C` in
    slowfast/config/custom_config.py.
    """
    _check_free(cfg)
    frozen = cfg.is_frozen()
    cfg.defrost()
    if "BIAS" not in cfg:
        config.add_bias_config(cfg)
    whole = host.get_cfg()
    _complete(cfg, whole)
    cfg.MODEL.SINGLE_PATHWAY_ARCH = whole.MODEL.SINGLE_PATHWAY_ARCH
    if frozen:
        cfg.freeze()


def check(cfg: CfgNode) -> None:
    """Raises one ConfigError that names all that SlowFast's loop cannot do of the BIAS keys."""
    if found := list(problems(cfg)):
        raise ConfigError(found)


def problems(cfg: CfgNode) -> Iterator[str]:
    """Yields what SlowFast's loop cannot do of a config, one sentence each."""
    for option in BIAS_OPTIONS:
        if problem := option.wrong(lookup(cfg, option.key)):
            yield problem
    for key, remedy in _ELSEWHERE.items():
        value, default = lookup(cfg, key), _default(key)
        if value != default:
            yield f"{key} {value}: not in SlowFast's own loop; {remedy}. Set it to {default!r} here"
    yield from _network_name(cfg)
    yield from _measurement(cfg)
    yield from _static_dropout(cfg)
    for section in ("TRAIN", "TEST"):
        if cfg[section].ENABLE:
            yield from _dataset(cfg, section)


def _measurement(cfg: CfgNode) -> Iterator[str]:
    if not cfg.BIAS.ENABLE:
        return
    if not (cfg.TRAIN.ENABLE or cfg.TEST.ENABLE):
        yield (
            "BIAS.ENABLE: SlowFast's run_net.py does nothing without TRAIN.ENABLE or TEST.ENABLE; "
            "`slowfast_bias run` with the same config measures a checkpoint alone"
        )
    every, period = cfg.TRAIN.EVAL_PERIOD, cfg.BIAS.PERIOD
    for key in ("MULTIGRID.LONG_CYCLE", "MULTIGRID.SHORT_CYCLE"):
        if period and lookup(cfg, key, False):
            yield f"BIAS.PERIOD {period}: {key} has its own epochs; set either to False or 0"
    if cfg.TRAIN.ENABLE and period % every:
        yield (
            f"BIAS.PERIOD {period}: SlowFast's loop can be measured only at epochs that it "
            f"evaluates; expected a multiple of TRAIN.EVAL_PERIOD, which is {every}"
        )


def _network_name(cfg: CfgNode) -> Iterator[str]:
    """Yields a problem if the class of a config that names none, SlowFast's default, cannot fit."""
    arch, name = cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME
    usual = canonical_names(arch, name, is_given=False)[1]
    default = importlib.import_module("slowfast.config.defaults")._C.MODEL.MODEL_NAME
    if name == default != usual and (cfg.TRAIN.ENABLE or cfg.TEST.ENABLE):
        yield f"MODEL.MODEL_NAME {name}: MODEL.ARCH {arch} is built by {usual}; set it to that"


def _static_dropout(cfg: CfgNode) -> Iterator[str]:
    drop, name = cfg.BIAS.STATIC_DROPOUT, cfg.MODEL.MODEL_NAME
    usual = canonical_names(cfg.MODEL.ARCH, name, is_given=False)[1]
    if not drop.ENABLE:  # then the class is the plain network, of either name
        return
    yield from static_dropout(cfg)
    if cfg.DETECTION.ENABLE:
        yield "DETECTION.ENABLE: StaticDropout is for classifiers of clips; set either False"
    if not name.startswith(STATIC_DROPOUT) and cfg.TRAIN.ENABLE:
        yield (
            f"BIAS.STATIC_DROPOUT.ENABLE: MODEL.MODEL_NAME {name} has no StaticDropout in "
            f"SlowFast's own loop; set it to {STATIC_DROPOUT}{usual}"
        )
    if drop.FINETUNE_EPOCHS and cfg.TRAIN.ENABLE:
        yield (
            f"BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS {drop.FINETUNE_EPOCHS}: SlowFast's loop ends at "
            "SOLVER.MAX_EPOCH; set it to 0 here, then `slowfast_bias run` with the same config, "
            "the number and this OUTPUT_DIR goes on from the last checkpoint for as many epochs"
        )


def _dataset(cfg: CfgNode, section: str) -> Iterator[str]:
    name = cfg[section].DATASET
    shuffles = [key for key in ("TRAIN", "VAL") if cfg.BIAS.SHUFFLE[key]]
    if section == "TRAIN" and shuffles and not reads_items(name):
        keys = " and ".join(f"BIAS.SHUFFLE.{key}" for key in shuffles)
        yield f"{keys}: {name} does not shuffle frames; set TRAIN.DATASET shuffled{name.lower()}"
    if not (reads_items(name) or is_shuffled(name)) or section == "TEST":
        return
    for key in _MANY_SAMPLES:
        if lookup(cfg, key, 1) > 1:
            yield f"{key} {lookup(cfg, key)}: {name} gives one sample per clip; set it to 1"
    if lookup(cfg, "MULTIGRID.SHORT_CYCLE", False) and reads_items(name):
        yield f"MULTIGRID.SHORT_CYCLE: {name} has clips of one size; set it to False"


def _check_free(cfg: CfgNode) -> None:
    """Raises PluginError if a fork has a section BIAS of its own."""
    known = {option.key.split(".")[1] for option in BIAS_OPTIONS}
    if others := sorted(set(cfg.get("BIAS", {})) - known):
        raise PluginError(
            "Expected no section BIAS of another make in slowfast/config/defaults.py or "
            f"custom_config.py, but it has {', '.join(f'BIAS.{key}' for key in others)}. Give that "
            "section another name."
        )


def _complete(cfg: CfgNode, whole: CfgNode) -> None:
    """Adds the keys that networks of this project have and this checkout lacks, in place."""
    for key, value in whole.items():
        if key not in cfg:
            cfg[key] = value
        elif isinstance(value, CfgNode):
            _complete(cfg[key], value)


def _check_what_it_loads(parser: ModuleType) -> None:
    theirs: Callable[..., Any] | None = getattr(parser, "load_config", None)
    if theirs is None or getattr(theirs, "checks_bias", False):
        return  # a fork without it is checked when it builds its network

    @functools.wraps(theirs)
    def load_config(*args: Any, **kwargs: Any) -> Any:
        cfg = theirs(*args, **kwargs)
        check(cfg)
        return cfg

    load_config.checks_bias = True  # type: ignore[attr-defined]
    parser.load_config = load_config  # type: ignore[attr-defined]


def _default(key: str) -> Any:
    return next(option.default for option in BIAS_OPTIONS if option.key == key)
