"""slowfast_bias centre: where in the frames of a data set the objects are."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_config, add_out, load

ABOUT = (
    "Write the mean mask and the mean frame of a list of sequences, how much of the objects is in "
    "the middle quarter of the frame, and what the best constant mask scores (the paper's Fig. 8)."
)
EXAMPLE = (
    "slowfast_bias centre --cfg configs/DAVIS16/MATNET.yaml --split train "
    "--out runs/davis_centre DATA.PATH_TO_DATA_DIR /data/DAVIS"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_out(parser, "where centre.json and centre.png go; the same as OUTPUT_DIR")
    parser.add_argument(
        "--split", choices=("train", "val", "test"), default="train", help="the list"
    )


def main(args: argparse.Namespace) -> int:
    """Writes the map and prints its numbers."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.INFO)
    # nothing runs on a GPU, and the machine need not be the one that trains
    last = ["BIAS.MASKS.CENTRE", args.split, "NUM_GPUS", 0]
    cfg = load(args, last=last)
    from slowfast_bias import engine

    engine.run_step("centre", cfg)
    return 0
