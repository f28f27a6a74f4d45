"""The former place of the command line: `main` and `find_config` are in `slowfast_bias.cli`."""

from slowfast_bias.cli import main as main
from slowfast_bias.cli.arguments import find_config as find_config
