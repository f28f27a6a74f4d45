"""slowfast_bias prepare: makes checked lists of a data set."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import Counter

from slowfast_bias.cli.arguments import add_out, add_workers, number
from slowfast_bias.cli.prepare_segments import prepare_sequences
from slowfast_bias.progress_bar import bar

ABOUT = (
    "Make checked lists of a data set: every video is decoded, and those that can be read go into "
    "train.csv, val.csv and test.csv. Stopped, it goes on where it was."
)
EXAMPLE = "slowfast_bias prepare ssv2 --lists labels --videos 20bn-something-v2 --out ssv2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    from slowfast_bias.datasets.lists.files import READERS
    from slowfast_bias.datasets.segments.collections import COLLECTIONS

    add = parser.add_argument
    add("format", choices=[*READERS, *COLLECTIONS],
        help="how the lists are written; see docs/DATA.md. From davis16 on: sequences of pictures "
        "with masks, whose lists are train.txt, val.txt and test.txt")  # fmt: skip
    add("--lists", required=True, metavar="DIR",
        help="folder of the list files; of sequences with masks that of the data set")  # fmt: skip
    add("--videos", default="", metavar="DIR",
        help="folder of the videos; by default that of the lists")  # fmt: skip
    add_out(parser, "folder for train.csv, val.csv, test.csv and bad.csv", required=True)
    add("--names", nargs=3, default=(), metavar=("TRAIN", "VAL", "TEST"),
        help="names of the lists, if they are not those of their publisher")  # fmt: skip
    add(
        "--separator",
        help="what stands between path and label of a csv; by default white space, or commas",
    )
    add("--short-side", type=number(0), default=0, metavar="PX",
        help="also copy the videos with their short side at this many pixels")  # fmt: skip
    add_workers(parser, "videos decoded at a time; by default the number of cores", os.cpu_count())
    add("--quick", action="store_true", help="decode three frames of each video instead of all")


def main(args: argparse.Namespace) -> int:
    """Prepares, and prints what goes on the command line of a run."""
    from slowfast_bias.datasets.preparing.prepare import prepare
    from slowfast_bias.datasets.segments.collections import COLLECTIONS

    if args.format in COLLECTIONS:
        return prepare_sequences(args)
    sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
    made = prepare(
        args.format, args.lists, args.videos, args.out,
        names=args.names, separator=args.separator, short_side=args.short_side,
        processes=args.workers, quick=args.quick, progress=bar,
    )  # fmt: skip
    for split, count in made.counts.items():
        print(f"{split:<5} {count} videos in {args.out}/{split}.csv")
    print(f"{len(made.bad)} bad files, named in {args.out}/bad.csv")
    for reason, count in Counter(map(_kind, made.bad.items())).most_common(5):
        print(f"  {count} x {reason}")
    words = (word for key_value in made.keys.items() for word in key_value)
    print("a run takes them with:", shlex.join(words))
    return 0 if any(made.counts.values()) else 1


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return "stopped: what is done stays; the same command goes on from there"


def _kind(bad: tuple[str, str]) -> str:
    """Returns a reason without the name of the file, so that they can be counted."""
    return bad[1].replace(bad[0], "...")
