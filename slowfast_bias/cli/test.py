"""slowfast_bias test: accuracy of a checkpoint."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_config, add_out, add_workers, load

ABOUT = (
    "Test a checkpoint over all views of each video. BIAS.SHUFFLE.TEST True adds shuffled, "
    "reversed and frozen clips, BIAS.ABLATION.ENABLE True silenced units."
)
EXAMPLE = (
    "slowfast_bias test --cfg configs/Kinetics/SLOW_8x8_R50.yaml "
    "TEST.CHECKPOINT_FILE_PATH slow.pyth DATA.PATH_TO_DATA_DIR /data/kinetics"
)
_STEPS = ["TRAIN.ENABLE", False, "BIAS.ENABLE", False, "TEST.ENABLE", True]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_out(parser, "where results go; the same as OUTPUT_DIR")
    add_workers(parser, "decoding processes of each process; as DATA_LOADER.NUM_WORKERS")


def main(args: argparse.Namespace) -> int:
    """Tests."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    cfg = load(args, first=_STEPS)
    from slowfast_bias import engine

    engine.run(cfg)
    return 0
