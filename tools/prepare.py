#!/usr/bin/env python3
"""Makes checked lists of a data set: tools/prepare.py FORMAT --lists DIR --videos DIR --out DIR."""

import argparse
import os
import shlex
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation


def main(arguments: list[str] | None = None) -> int:
    """Prepares, and prints what goes on the command line of a run; returns the exit status."""
    from slowfast_bias.interrupts import STATUS

    try:
        return _main(arguments)
    except KeyboardInterrupt:
        print("stopped: what is done stays; the same command goes on from there", file=sys.stderr)
        return STATUS


def _main(arguments: list[str] | None) -> int:
    from tqdm import tqdm

    from slowfast_bias.datasets.lists.files import READERS
    from slowfast_bias.datasets.preparing.prepare import prepare
    from slowfast_bias.errors import UserError

    parser = argparse.ArgumentParser(prog="prepare.py", description=__doc__)
    add = parser.add_argument
    add("format", choices=READERS, help="how the lists are written; see docs/DATA.md")
    add("--lists", required=True, help="folder of the list files")
    add("--videos", default="", help="folder of the videos; by default that of the lists")
    add("--out", required=True, help="folder for train.csv, val.csv, test.csv and bad.csv")
    add("--names", nargs=3, default=(), metavar=("TRAIN", "VAL", "TEST"), help="names of the lists")
    add("--separator", help="between path and label of a csv; by default white space")
    add("--short-side", type=int, default=0, help="also copy the videos, this many pixels high")
    text = "videos at a time; by default the number of cores"
    add("--processes", "--workers", type=int, default=os.cpu_count(), metavar="N", help=text)
    add("--quick", action="store_true", help="decode three frames of each video instead of all")
    args = parser.parse_args(arguments)

    def bar(steps, total, title):
        return tqdm(steps, total=total, desc=title, file=sys.stderr)

    sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
    try:
        made = prepare(
            args.format, args.lists, args.videos, args.out,
            names=args.names, separator=args.separator, short_side=args.short_side,
            processes=args.processes, quick=args.quick, progress=bar,
        )  # fmt: skip
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for split, count in made.counts.items():
        print(f"{split:<5} {count} videos in {args.out}/{split}.csv")
    print(f"{len(made.bad)} bad files, named in {args.out}/bad.csv")
    for reason, count in Counter(map(_kind, made.bad.items())).most_common(5):
        print(f"  {count} x {reason}")
    words = (word for key_value in made.keys.items() for word in key_value)
    print("a run takes them with:", shlex.join(words))
    return 0 if any(made.counts.values()) else 1


def _kind(bad: tuple[str, str]) -> str:
    """A reason without the name of the file, so that they can be counted."""
    return bad[1].replace(bad[0], "...")


if __name__ == "__main__":
    sys.exit(main())
