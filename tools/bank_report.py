#!/usr/bin/env python3
"""How strong is a bank of styles, and does it flicker?

tools/bank_report.py VIDEOS... [--family colour --num 4 --seed 0 --preview STRIP.png], or
tools/bank_report.py [VIDEOS...] --dirs DIR/style_0 DIR/style_1 ..., where VIDEOS are the originals;
without them the flicker is an estimate.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.errors import UserError  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prints the report; returns the exit status."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("bank_report.py", description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("videos", nargs="*", metavar="VIDEOS", help="videos, or folders of videos")
    add("--dirs", nargs="+", default=[], metavar="DIR", help="a bank on disk, a folder per style")
    add("--family", choices=("colour", "randconv"), default="colour", help="of a generated bank")
    add("--num", type=int, default=4, help="of a generated bank")
    add("--seed", type=int, default=0, help="of a generated bank")
    add("--look-at", type=int, default=8, metavar="N", help="how many videos; 0: all")
    add("--frames", type=int, default=16, metavar="N", help="how many of each, its middle ones")
    add("--preview", metavar="PNG", help="a picture of a video in every style of a generated bank")
    args = parser.parse_args(arguments)
    if not (args.videos or args.dirs):
        parser.error("expected videos, or --dirs of styled ones")
    if args.frames < 2:
        parser.error("--frames: expected 2 or more, as one does not change")
    if args.preview and args.dirs:
        parser.error("--preview: expected a generated bank; the frames of --dirs can be looked at")
    try:
        from slowfast_bias.engine.styling.bank_strength import bank_report

        bank = (args.family, args.num, args.seed)
        report = bank_report(
            args.videos, args.dirs, bank, args.look_at, args.frames, args.preview or ""
        )
    except (UserError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(report.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
