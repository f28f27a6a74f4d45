"""The former place of `add_bias_config` and `get_cfg`, which are in `slowfast_bias.config`."""

from slowfast_bias.config.options import add_bias_config as add_bias_config
from slowfast_bias.config.options import get_cfg as get_cfg
