"""slowfast_bias battery: what a checkpoint still knows of changed clips."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_config, add_out, add_workers, load

ABOUT = (
    "Test a checkpoint with changed clips, from one decode of each: frames shuffled, shuffled "
    "within windows, reversed, frozen, a few of them, other looks; and how far its outputs move, "
    "which needs no labels. Of networks of masks image and flow are exchanged instead, or taken "
    "away, and it is asked which of the two masks follow. The keys are BIAS.BEHAVIOUR."
)
EXAMPLE = (
    "slowfast_bias battery --cfg configs/Kinetics/SLOW_8x8_R50.yaml "
    "TEST.CHECKPOINT_FILE_PATH slow.pyth DATA.PATH_TO_DATA_DIR /data/kinetics "
    "BIAS.BEHAVIOUR.LISTS \"['k400_temporal','k400_static']\""
)
_STEPS = ["TRAIN.ENABLE", False, "BIAS.ENABLE", False, "TEST.ENABLE", False]
_THIS = ["BIAS.BEHAVIOUR.ENABLE", True]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_out(parser, "where results go; the same as OUTPUT_DIR")
    add_workers(parser, "decoding processes of each process; as DATA_LOADER.NUM_WORKERS")


def main(args: argparse.Namespace) -> int:
    """Runs the battery."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    cfg = load(args, first=_STEPS, last=_THIS)
    from slowfast_bias import engine

    engine.run(cfg)
    return 0
