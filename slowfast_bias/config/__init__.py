"""Floor 3: configuration. One root node `BIAS` beside the host's own keys.

Synopsis:

    cfg = load_cfg("configs/Toy/SLOW_motion.yaml", ["SOLVER.MAX_EPOCH", 4])   # get, merge, check
    cfg = get_cfg(); cfg.merge_from_file(...)                                 # the yacs way
    add_bias_config(cfg)                                                      # your own run script
"""

from slowfast_bias.config.check import ConfigError, check_cfg, check_training
from slowfast_bias.config.load import load_cfg
from slowfast_bias.config.options import add_bias_config, get_cfg
from slowfast_bias.config.yaml_text import dump_cfg

__all__ = [
    "ConfigError",
    "add_bias_config",
    "check_cfg",
    "check_training",
    "dump_cfg",
    "get_cfg",
    "load_cfg",
]
