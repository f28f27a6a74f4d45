"""slowfast_bias styles: how strong a bank of styles is, and whether it flickers."""

from __future__ import annotations

import argparse

from slowfast_bias.cli.arguments import number
from slowfast_bias.cli.stylize import add_bank
from slowfast_bias.errors import RequestError

ABOUT = (
    "Report how strong a bank of styles is, and whether it flickers. Without --dirs the bank is "
    "generated; with --dirs VIDEOS are the originals, and without these flicker is an estimate."
)
EXAMPLE = "slowfast_bias styles /data/videos --family randconv --preview styles.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("videos", nargs="*", metavar="VIDEOS", help="videos, or folders of videos")
    add("--dirs", nargs="+", default=[], metavar="DIR", help="a bank on disk, a folder per style")
    add_bank(parser)
    add("--look-at", type=number(0), default=8, metavar="N", help="number of videos; 0 means all")
    add("--frames", type=number(2), default=16, metavar="N",
        help="number of frames of each, from its middle")  # fmt: skip
    add("--preview", default="", metavar="PNG",
        help="write a picture of a video in every style of a generated bank")  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """Prints the report."""
    from slowfast_bias.engine.styling.bank_strength import bank_report

    if not (args.videos or args.dirs):
        raise RequestError("Expected videos, or --dirs with the folders of styled ones.")
    if args.preview and args.dirs:
        raise RequestError("Expected --preview with a generated bank; --dirs hold pictures.")
    bank = (args.family, args.num, args.seed)
    report = bank_report(args.videos, args.dirs, bank, args.look_at, args.frames, args.preview)
    print(report.table())
    return 0
