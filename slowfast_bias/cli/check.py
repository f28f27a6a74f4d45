"""slowfast_bias check: describes and decodes the videos of a config before a run."""

from __future__ import annotations

import argparse
import os
import sys

from slowfast_bias.cli.arguments import add_config, add_workers, load
from slowfast_bias.progress_bar import bar

ABOUT = (
    "Describe and decode the videos of every list that a config uses. Exits with 1 if a video "
    "cannot be read."
)
EXAMPLE = "slowfast_bias check --cfg mine.yaml DATA.PATH_TO_DATA_DIR /data/mine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_workers(parser, "videos decoded at a time; by default the number of cores", os.cpu_count())
    parser.add_argument(
        "--quick", action="store_true", help="decode three frames of each video instead of all"
    )


def main(args: argparse.Namespace) -> int:
    """Prints a paragraph per list; returns 1 if a video cannot be read."""
    workers, args.workers = args.workers, None
    # no training here: the machine need not be the one that trains
    cfg = load(args, last=["NUM_GPUS", 0])
    from slowfast_bias.engine.steps import check_data

    sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
    checked = check_data(cfg, processes=workers, quick=args.quick, progress=bar)
    for split in checked:
        print(split.text)
    return 1 if any(split.bad for split in checked) else 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return "stopped: nothing was written, the same command starts anew"
