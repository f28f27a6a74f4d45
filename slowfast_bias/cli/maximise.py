"""slowfast_bias maximise: the clips that units want to see, with numbers."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_config, add_out, add_workers, load
from slowfast_bias.errors import RequestError

ABOUT = (
    "Make, from noise, the clips that units or classes answer to most, at several speeds, with the "
    "numbers that say whether to believe them: what natural clips reach, whether other networks "
    "agree, and what one frozen image loses."
)
EXAMPLE = (
    "slowfast_bias maximise configs/Toy/SLOW_motion.yaml --layer s5 --units dynamic:5 static:5 "
    "--speeds all"
)
_STEPS = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.ENABLE", False]
_STEPS += ["BIAS.MAXIMISE.ENABLE", True]
_YAML = (".yaml", ".yml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("config", nargs="?", metavar="CFG", help="the same as --cfg FILE")
    add_config(parser, required=False)
    add("--layer", metavar="LAYER", help="as BIAS.MAXIMISE.LAYER: whose units, as reports name it")
    add("--units", nargs="+", metavar="UNITS",
        help="as BIAS.MAXIMISE.UNITS: dynamic:5 static:5 joint:2 residual:2, numbers of units, "
        "class:NAME, pairs:2 (classes that are mixed up)")  # fmt: skip
    add(
        "--speeds",
        nargs="+",
        metavar="SPEED",
        help="as BIAS.MAXIMISE.SPEEDS: unconstrained, fast, medium, slow, frozen, or all",
    )
    add_out(parser, "where results go; the same as OUTPUT_DIR")
    add_workers(parser, "decoding processes; as DATA_LOADER.NUM_WORKERS")
    parser.usage = (
        "%(prog)s CFG [--layer LAYER] [--units UNITS ...] [--speeds SPEED ...] [--opts KEY VALUE "
        "...]"
    )


def main(args: argparse.Namespace) -> int:
    """Makes the clips."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    if args.config and args.config.endswith(_YAML):
        args.cfg_files = [args.config, *args.cfg_files]
    elif args.config:
        args.opts = [args.config, *args.opts]  # the first KEY
    if not args.cfg_files:
        raise RequestError(f"Expected a config, but got none. For example: {EXAMPLE}")
    cfg = load(args, first=[*_STEPS, *_words(args)])
    from slowfast_bias import engine

    engine.run(cfg)
    return 0


def _words(args: argparse.Namespace) -> list[object]:
    """Returns KEY, VALUE, ... of the flags of this command."""
    given = {"LAYER": args.layer, "UNITS": args.units, "SPEEDS": args.speeds}
    pairs = [(f"BIAS.MAXIMISE.{key}", value) for key, value in given.items() if value]
    return [word for pair in pairs for word in pair]
